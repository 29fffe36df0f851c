package fewsh.encode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.models.Settings;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClassesTest {
    private static Classes of(String problem, float... logits) {
        JsonObject json = new JsonObject();
        if (!problem.isEmpty()) json.addProperty("problem_type", problem);
        return Classes.of(List.of("a", "b").subList(0, logits.length), logits, new Settings("config.json", json));
    }

    /// The function that transformers' pipelines choose: none, softmax or sigmoid, worked out by hand.
    @Test
    void problemAndNumberOfLabelsChooseTheFunction() {
        double log3 = Math.log(3);
        assertEquals(0.75, of("", 0, (float) log3).best().score(), 1e-6);
        assertEquals(0.75, of("multi_label_classification", 0, (float) log3).best().score(), 1e-6);
        assertEquals(0.5, of("multi_label_classification", 0, (float) log3).all().getLast().score(), 1e-6);
        assertEquals(0.25, of("", 0, (float) log3).all().getLast().score(), 1e-6);
        assertEquals(0.75, of("single_label_classification", (float) log3).best().score(), 1e-6);
        assertEquals(0.75, of("", (float) log3).best().score(), 1e-6);
        assertEquals(3, of("regression", -2, 3).best().score());
        assertEquals(-2, of("regression", -2).best().score());
        assertThrows(UserError.class, () -> of("ranking", 1, 2));
    }
}
