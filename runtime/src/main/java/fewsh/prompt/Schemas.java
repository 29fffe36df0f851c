package fewsh.prompt;

import dev.harrel.jsonschema.Error;
import dev.harrel.jsonschema.Evaluator;
import dev.harrel.jsonschema.EvaluatorFactory;
import dev.harrel.jsonschema.JsonNode;
import dev.harrel.jsonschema.JsonSchemaException;
import dev.harrel.jsonschema.Validator;
import dev.harrel.jsonschema.ValidatorFactory;
import dev.harrel.jsonschema.providers.GsonNode;
import fewsh.UserError;
import java.net.URI;
import java.util.Comparator;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// Inputs checked against a JSON schema.
final class Schemas {
    private static final long MOST_STEPS = 2_000_000;

    private Schemas() {}

    /// @param where the prompt file
    /// @throws UserError naming the input and what is wrong with it; or if the schema is none
    static void check(String where, Map<String, Object> schema, Map<String, Object> inputs) {
        try {
            Validator validator = new ValidatorFactory().withJsonNodeFactory(new GsonNode.Factory())
                    .withEvaluatorFactory(new EvaluatorFactory.Builder().withKeyword("pattern", Matching::new).build())
                    .createValidator();
            URI uri = validator.registerSchema((Object) Json.tree(schema));
            Validator.Result result = validator.validate(uri, (Object) Json.tree(inputs));
            if (result.isValid()) return;
            Error error = result.getErrors().stream().max(Comparator.comparingInt(e -> e.getInstanceLocation().length()))
                    .orElseThrow();
            String place = error.getInstanceLocation().replaceFirst("^/", "");
            String what = place.isEmpty() ? "the inputs do" : "input \"" + place + "\" does";
            throw new UserError(where, what + " not fit the file's input schema: " + error.getError(), "");
        } catch (JsonSchemaException e) {
            throw new UserError(where, "the input schema is not valid: " + e.getMessage().lines().findFirst().orElse(""), "", e);
        } catch (PatternSyntaxException e) {
            throw new UserError(where, "the input schema's pattern \"" + e.getPattern() + "\" is none: " + e.getDescription(),
                    "", e);
        } catch (StackOverflowError | TooLong e) {
            throw new UserError(where, "the input schema takes too long to check", "make its patterns and references simpler");
        }
    }

    private static final class TooLong extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /// `pattern`, with an end to expressions that go back and forth. The library would ignore one that cannot be compiled.
    private record Matching(String pattern) implements Evaluator {
        Matching(JsonNode node) {
            this(node.asString());
        }

        @Override
        public Result evaluate(dev.harrel.jsonschema.EvaluationContext context, JsonNode node) {
            if (!node.isString()) return Result.success();
            String text = node.asString();
            boolean found = Pattern.compile(pattern).matcher(new Counted(text, 0, text.length(), new long[] {MOST_STEPS})).find();
            return found ? Result.success() : Result.failure("\"" + text + "\" does not match " + pattern);
        }
    }

    /// A text that can be looked at only so often.
    private record Counted(String text, int start, int end, long[] left) implements CharSequence {
        @Override
        public int length() {
            return end - start;
        }

        @Override
        public char charAt(int index) {
            if (--left[0] < 0) throw new TooLong();
            return text.charAt(start + index);
        }

        @Override
        public CharSequence subSequence(int from, int to) {
            return new Counted(text, start + from, start + to, left);
        }

        @Override
        public String toString() {
            return text.substring(start, end);
        }
    }
}
