package io.rasterflow.tests;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * Runs beside another such class, after all others: a class that mostly keeps one core busy, itself or with the launcher it
 * starts, and whose outcome does not depend on how fast.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("paired")
public @interface Paired {}
