package fewsh.prompt;

import fewsh.UserError;

/// Self-consistency: several sampled paths, of whose answers the majority wins (Wang et al. 2022).
///
/// @param n how many paths; 1 is off
/// @param early whether to stop once the outcome can no longer change, or will not, but for `error`
/// @param error how likely the early outcome may differ from that of all `n`, in [0, 1); 0 stops on certainty alone
/// @param temperature of the paths, unless the settings in force say one
public record Vote(int n, boolean early, double error, double temperature) {
    public static final Vote NONE = new Vote(1, false, 0.05, 0.7);

    public Vote {
        if (n < 1 || n > 1024) throw new UserError("", "vote must be from 1 to 1024, was " + n, "");
        if (!(error >= 0 && error < 1)) throw new UserError("", "error must be in [0, 1), was " + error, "");
        if (!(temperature > 0 && temperature <= 100))
            throw new UserError("", "the temperature of a vote must be in (0, 100], was " + temperature, "at 0 all paths are one");
    }
}
