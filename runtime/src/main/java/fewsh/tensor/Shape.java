package fewsh.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/// The axes of a tensor, outermost first; a scalar has none.
public record Shape(List<Dim> dims) {
    public Shape {
        dims = List.copyOf(dims);
    }

    /// A shape whose sizes are all known.
    public static Shape of(long... sizes) {
        return new Shape(Arrays.stream(sizes).mapToObj(Dim::of).toList());
    }

    /// A shape of sizes (numbers) and symbols (strings): `Shape.named("batch", "sequence", 768)`.
    public static Shape named(Object... dims) {
        return new Shape(Arrays.stream(dims).map(d -> switch (d) {
            case String name -> Dim.of(name);
            case Number size -> Dim.of(size.longValue());
            case Dim dim -> dim;
            default -> throw new IllegalArgumentException("not a size or a name: " + d);
        }).toList());
    }

    public int rank() {
        return dims.size();
    }

    /// The axis `i`, counted from the end when negative.
    public Dim dim(int i) {
        return dims.get(axis(i));
    }

    /// The size of axis `i`, counted from the end when negative.
    ///
    /// @throws ShapeException if it is symbolic
    public long size(int i) {
        if (dim(i) instanceof Dim.Fixed(long size)) return size;
        throw new ShapeException("axis " + axis(i) + " of " + this + " has no fixed size");
    }

    /// `i` as an index from the front.
    ///
    /// @throws ShapeException if there is no such axis
    public int axis(int i) {
        int axis = i < 0 ? i + rank() : i;
        if (axis < 0 || axis >= rank()) throw new ShapeException("no axis " + i + " in " + this);
        return axis;
    }

    /// All sizes.
    ///
    /// @throws ShapeException if one is symbolic
    public long[] sizes() {
        long[] sizes = new long[rank()];
        for (int i = 0; i < sizes.length; i++) sizes[i] = size(i);
        return sizes;
    }

    /// The product of all sizes; 1 for a scalar.
    ///
    /// @throws ShapeException if one is symbolic, or the product overflows
    public long count() {
        long count = 1;
        try {
            for (long size : sizes()) count = Math.multiplyExact(count, size);
        } catch (ArithmeticException e) {
            throw new ShapeException("the size of " + this + " overflows");
        }
        return count;
    }

    /// This shape with axis `i` replaced.
    public Shape with(int i, Dim dim) {
        List<Dim> changed = new ArrayList<>(dims);
        changed.set(axis(i), dim);
        return new Shape(changed);
    }

    /// The shape of an elementwise result of `this` and `other`, as numpy broadcasts them. A symbol matches itself and 1.
    ///
    /// @throws ShapeException naming the axis on which the two disagree
    public Shape broadcast(Shape other) {
        int rank = Math.max(rank(), other.rank());
        List<Dim> result = new ArrayList<>(rank);
        for (int i = 0; i < rank; i++) {
            Dim a = i < rank - rank() ? Dim.of(1) : dims.get(i - rank + rank());
            Dim b = i < rank - other.rank() ? Dim.of(1) : other.dims.get(i - rank + other.rank());
            if (a.equals(Dim.of(1))) result.add(b);
            else if (b.equals(Dim.of(1)) || a.equals(b)) result.add(a);
            else throw new ShapeException("cannot broadcast " + this + " with " + other + ": axis " + i + " is " + a + " and " + b);
        }
        return new Shape(result);
    }

    @Override
    public String toString() {
        return dims.stream().map(Dim::toString).collect(Collectors.joining(", ", "[", "]"));
    }
}
