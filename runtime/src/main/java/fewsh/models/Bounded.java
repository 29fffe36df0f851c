package fewsh.models;

import fewsh.UserError;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// A regular expression out of a file that nobody vouches for: it is matched with a bounded number of steps.
record Bounded(String where, Pattern pattern) {
    private static final int LONGEST = 8192;
    private static final int DEEPEST = 100;
    /// Characters looked at in one match; a name has a hundred.
    private static final int STEPS = 1 << 20;

    /// @param regex in Python's syntax, of which named groups are written differently in Java
    /// @throws UserError if it is none, or longer or deeper than any in use
    Bounded(String where, String regex) {
        this(where, compile(where, regex));
    }

    private static Pattern compile(String where, String regex) {
        int depth = 0;
        for (int i = 0; i < regex.length() && depth <= DEEPEST; i++) depth += regex.charAt(i) == '(' ? 1 : regex.charAt(i) == ')' ? -1 : 0;
        if (regex.length() > LONGEST || depth > DEEPEST)
            throw new UserError(where, "a regular expression of " + regex.length() + " characters is too long or too deep", "");
        try {
            return Pattern.compile(regex.replace("(?P<", "(?<"), Pattern.DOTALL);
        } catch (PatternSyntaxException e) {
            throw new UserError(where, "\"" + regex + "\" is no regular expression: " + e.getDescription(), "", e);
        }
    }

    boolean matches(String name) {
        return found(matcher(name), where);
    }

    Matcher matcher(String name) {
        return pattern.matcher(new Counted(name, new int[1]));
    }

    /// Whether all of what the matcher is over matches.
    ///
    /// @throws UserError if that takes too long
    static boolean found(Matcher matcher, String where) {
        try {
            return matcher.matches();
        } catch (TooLong | StackOverflowError e) {
            throw new UserError(where, "matching \"" + matcher.pattern() + "\" takes too long", "write it without nested repetitions", e);
        }
    }

    private static final class TooLong extends RuntimeException {
        private static final long serialVersionUID = 1;

        TooLong() {
            super("too many steps", null, false, false);
        }
    }

    /// Counts how often a character is looked at.
    private record Counted(CharSequence text, int[] steps) implements CharSequence {
        @Override
        public char charAt(int i) {
            if (++steps[0] > STEPS) throw new TooLong();
            return text.charAt(i);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int from, int to) {
            return text.subSequence(from, to);
        }

        @Override
        public String toString() {
            return text.toString();
        }
    }
}
