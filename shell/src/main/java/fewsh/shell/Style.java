package fewsh.shell;

/// A terminal's ways to set text apart, from the sixteen colours that every theme defines.
enum Style {
    BOLD("1"), DIM("2"), RED("31"), GREEN("32"), YELLOW("33"), CYAN("36"), PROMPT("1;36");

    private final String code;

    Style(String code) {
        this.code = code;
    }

    String on(String text) {
        return "\033[" + code + "m" + text + "\033[0m";
    }

    /// For a token's probability: what the model was sure of is green, what it guessed red.
    static Style ofProbability(double p) {
        return p >= 0.5 ? GREEN : p >= 0.1 ? YELLOW : RED;
    }
}
