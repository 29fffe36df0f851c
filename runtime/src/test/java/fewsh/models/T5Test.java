package fewsh.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class T5Test {
    /// Source of the rows: `_relative_position_bucket` of Hugging Face's transformers 5.23.
    @ParameterizedTest
    @CsvSource({
        "8, 16, true, 3 3 3 3 3 3 3 3 3 3 3 3 3 3 2 2 2 2 1 0 5 6 6 6 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7",
        "8, 16, false, 7 7 7 7 7 7 7 7 6 6 6 6 5 5 4 4 3 2 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"})
    void distancesFallIntoTheReferencesBuckets(int buckets, int most, boolean bidirectional, String expected) {
        assertEquals(expected, IntStream.rangeClosed(-most - 3, most + 3)
                .mapToObj(d -> String.valueOf(T5.bucket(d, bidirectional, buckets, most))).collect(Collectors.joining(" ")));
    }
}
