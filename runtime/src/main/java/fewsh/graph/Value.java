package fewsh.graph;

import fewsh.tensor.DType;
import fewsh.tensor.Shape;

/// One tensor of a graph: an input, an initializer, or what a node makes.
public record Value(String name, DType dtype, Shape shape) {
    /// Stands where an operator's optional input or output is left out.
    public static final Value ABSENT = new Value("", DType.FLOAT32, Shape.of());

    public boolean isAbsent() {
        return name.isEmpty();
    }

    @Override
    public String toString() {
        return isAbsent() ? "-" : name + " " + dtype.toString().toLowerCase() + shape;
    }
}
