package fewsh.generate;

/// Rows of ids that a decoder continues, each looking at its source: what decoding needs of a model's graphs, whichever they are.
///
/// Rows of one source stand side by side. Belongs to one thread but for [#interrupt]; owns native memory: close it.
interface DecoderRows extends AutoCloseable {
    int rows();

    /// Puts ids behind what the rows hold, as many behind each, and computes the logits of the last.
    ///
    /// @param ids row by row
    /// @return false if it was interrupted: the rows then hold nothing of use
    boolean feed(int[] ids);

    /// Logits of the position fed last in a row.
    void logits(int row, float[] to);

    /// ln p of every token there.
    void logprobs(int row, float[] to);

    /// Lets row `r` go on from what row `from[r]` holds, of the same source. A row that any goes on from goes on from itself.
    void reorder(int[] from);

    /// Ends a run under way, from any thread; later runs end at once.
    void interrupt();

    @Override
    void close();
}
