package fewsh.shell;

/// Where the program starts: `fewsh`, the few-shot shell.
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        System.out.println("fewsh 0.1.0");
    }
}
