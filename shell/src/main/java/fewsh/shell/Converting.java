package fewsh.shell;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import fewsh.export.Export;
import fewsh.models.Checkpoint;
import fewsh.models.Spec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// `fewsh convert`: a model as a folder that other programs open, adapters merged.
final class Converting {
    private Converting() {}

    static int run(Workspace workspace, Options options) throws IOException {
        options.expect("fewsh convert", "MODEL OUT", 2, 2);
        Export.Format format = Export.Format.parse(options.get("format", "onnx"));
        Export.Numbers numbers = Export.Numbers.parse(options.get("precision", "fp32"));
        Spec spec = workspace.spec(options.words().getFirst());
        Path out = workspace.file(options.words().getLast());
        workspace.render().progress("converting");
        List<Path> files;
        try (Checkpoint checkpoint = Checkpoint.open(workspace.find(spec.model()).path())) {
            files = Export.write(checkpoint, spec.adapters(), format, numbers, out);
        } finally {
            workspace.render().clearProgress();
        }
        long bytes = 0;
        for (Path file : files) bytes += Files.size(file);
        if (!workspace.render().json()) {
            for (Path file : files) workspace.render().line(file.toString());
            workspace.render().note(Render.bytes(bytes));
            return 0;
        }
        JsonObject line = new JsonObject();
        line.addProperty("format", format.name().toLowerCase());
        line.addProperty("precision", numbers.name().toLowerCase());
        JsonArray names = new JsonArray();
        files.forEach(file -> names.add(file.toString()));
        line.add("files", names);
        line.addProperty("size_bytes", bytes);
        workspace.render().line(line);
        return 0;
    }
}
