package fewsh.script;

import fewsh.generate.CausalLm;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.load.LoadOptions;

/// Where a script plays: what it shows goes here, and the model it speaks to comes from here. The shell is one.
///
/// Called by one thread at a time, while [Sandbox#evaluate] or [Sandbox#run] is under way. Text comes from a script: it may
/// hold control characters.
public interface Stage {
    /// A line of the result.
    void line(String text);

    /// Part of a line, shown at once; the next [#line] begins a new one.
    void text(String piece);

    /// What goes on, drawn over what the last call drew; empty when it is over.
    void progress(String line);

    /// How wide a line may be.
    int columns();

    /// Whether lines may hold more than ASCII.
    boolean unicode();

    /// The current model, loaded.
    ///
    /// @throws UserError if there is none
    CausalLm model();

    /// The cache that scripts' prompts go through, of the current model; one thread.
    KvCache cache();

    /// The sampling settings in force, which a call's options change.
    SamplingConfig sampling();

    /// How models are loaded, unless a call's options say otherwise.
    LoadOptions loadOptions();

    /// Loads a model in place of the current one, and with it a new cache.
    ///
    /// @param model a name in the store, or the path of a folder or file inside the script's folder
    CausalLm load(String model, LoadOptions options);
}
