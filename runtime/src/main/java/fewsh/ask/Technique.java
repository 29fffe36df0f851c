package fewsh.ask;

import java.util.function.Consumer;

/// A way to an answer, taken a step at a time.
sealed interface Technique extends AutoCloseable permits Paths, Knowledge {
    boolean ended();

    /// One step, a token or so; what is worth telling goes to `out`.
    void advance(Consumer<Inquiry.Event> out);

    /// Once it has ended.
    Reply reply();

    @Override
    void close();
}
