package fewsh.generate;

import java.util.List;

/// A whole answer that a search found.
///
/// @param ids with the token that ends it, unless it had to end before
/// @param score ln p of all of them, divided by their number to the power of the length penalty
public record Beam(List<Integer> ids, double score) {
    public Beam {
        ids = List.copyOf(ids);
    }
}
