package io.rasterflow.tests.house;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import io.rasterflow.actors.WireMessage;
import java.io.ObjectInputStream;
import java.time.Instant;

/** The walls of architecture.md: cluster-config → actors → {streams, model, monitoring}. */
@AnalyzeClasses(packages = "io.rasterflow", importOptions = ImportOption.DoNotIncludeTests.class)
class ModuleWallsTest {

    private static final String MODEL = "io.rasterflow.model..";
    private static final String STREAMS = "io.rasterflow.streams..";
    private static final String MONITORING = "io.rasterflow.monitoring..";
    private static final String ACTORS = "io.rasterflow.actors..";
    private static final String[] CLUSTER_CONFIG = {
        "io.rasterflow.config..",
        "io.rasterflow.launch..",
        "io.rasterflow.sweep..",
        "io.rasterflow.scaling..",
        "io.rasterflow.cli.."
    };

    @ArchTest
    static final ArchRule modelKnowsNoActorsAndNoSockets = noClasses()
            .that()
            .resideInAPackage(MODEL)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.pekko..", "io.netty..", STREAMS, MONITORING, ACTORS);

    @ArchTest
    static final ArchRule streamsKnowNeitherModelNorMonitoringNorActors = noClasses()
            .that()
            .resideInAPackage(STREAMS)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(MODEL, MONITORING, ACTORS, "ai.djl..", "io.netty..");

    @ArchTest
    static final ArchRule monitoringKnowsOnlyItsOwnEvents = noClasses()
            .that()
            .resideInAPackage(MONITORING)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(MODEL, STREAMS, ACTORS, "ai.djl..", "io.netty..");

    @ArchTest
    static final ArchRule nothingBelowKnowsTheCommandLine = noClasses()
            .that()
            .resideInAnyPackage(MODEL, STREAMS, MONITORING, ACTORS)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(CLUSTER_CONFIG);

    @ArchTest
    static final ArchRule onlyTheModelTouchesTheEngine = noClasses()
            .that()
            .resideOutsideOfPackage(MODEL)
            .should()
            .dependOnClassesThat()
            .resideInAPackage("ai.djl..");

    @ArchTest
    static final ArchRule onlyTheExchangeAndTheControlPortTouchNetty = noClasses()
            .that()
            .resideOutsideOfPackages("io.rasterflow.actors.exchange..", "io.rasterflow.actors.control..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.netty..");

    /** Clocks jump: what is decided follows from {@link System#nanoTime}, the date stands on events alone. */
    @ArchTest
    static final ArchRule decisionsDoNotAskForTheDate = noClasses()
            .that()
            .resideInAnyPackage(
                    "io.rasterflow.actors.membership..",
                    "io.rasterflow.actors.exchange..",
                    "io.rasterflow.actors.control..")
            .should()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(Instant.class, "now");

    @ArchTest
    static final ArchRule nothingDeserialisesJavaObjects =
            noClasses().should().dependOnClassesThat().areAssignableTo(ObjectInputStream.class);

    @ArchTest
    static final ArchRule messagesAreRecords =
            classes().that().implement(WireMessage.class).should().beRecords();

    @ArchTest
    static final ArchRule packagesOfAModuleFormNoCycle = SlicesRuleDefinition.slices()
            .matching("io.rasterflow.(model|streams|monitoring).(*)..")
            .should()
            .beFreeOfCycles();
}
