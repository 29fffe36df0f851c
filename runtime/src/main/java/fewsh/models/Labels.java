package fewsh.models;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import java.util.ArrayList;
import java.util.List;

/// The classes of a model with a classifying head, in the order of its logits.
///
/// Source: `id2label` and `num_labels` of a configuration, as transformers' `PretrainedConfig` reads them; two classes
/// `LABEL_0` and `LABEL_1` where neither is given.
public record Labels(List<String> names) {
    /// No published model has more classes.
    private static final int MOST = 1 << 20;

    public Labels {
        names = List.copyOf(names);
    }

    public static Labels of(Settings s) {
        JsonObject named = s.object("id2label").json();
        int count = named.isEmpty() ? s.size("num_labels", 2) : named.size();
        if (count > MOST) throw new UserError(s.where(), "num_labels " + count + " is more than " + MOST, "fetch the file again");
        List<String> names = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            JsonElement name = named.isEmpty() ? new JsonPrimitive("LABEL_" + i) : named.get(Integer.toString(i));
            if (!(name instanceof JsonPrimitive p))
                throw new UserError(s.where(), "id2label has " + count + " entries but none for " + i, "fetch the file again");
            names.add(p.getAsString());
        }
        return new Labels(names);
    }

    public int size() {
        return names.size();
    }
}
