package io.rasterflow.model.program;

/**
 * Value of a program's attribute that its methods fill: an empty list or dictionary.
 *
 * @param type as TorchScript writes it, such as {@code Dict[str, Tensor]}
 */
public record EmptyContainer(String type) {}
