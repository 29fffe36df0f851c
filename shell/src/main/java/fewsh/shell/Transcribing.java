package fewsh.shell;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import fewsh.UserError;
import fewsh.generate.Segment;
import fewsh.generate.Transcriber;
import fewsh.generate.Transcript;
import fewsh.generate.Transcription;
import fewsh.generate.TranscriptionConfig;
import fewsh.script.AutoModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// `fewsh transcribe`: what is said in recordings.
final class Transcribing {
    private Transcribing() {}

    static int run(Workspace workspace, Options options) {
        options.expect("fewsh transcribe", "FILE", 1, Integer.MAX_VALUE);
        TranscriptionConfig config = new TranscriptionConfig(
                options.has("language") ? Optional.of(options.get("language", "")) : Optional.empty(), task(options),
                options.has("timestamps"));
        boolean complete = true;
        try (Transcriber transcriber = (Transcriber) workspace.open("transcribe", options, AutoModel.Kind.TRANSCRIBER)) {
            for (String file : options.words()) complete &= one(workspace, transcriber, file, config);
        }
        return complete ? 0 : 130;
    }

    private static Optional<TranscriptionConfig.Task> task(Options options) {
        if (!options.has("task")) return Optional.empty();
        for (TranscriptionConfig.Task task : TranscriptionConfig.Task.values())
            if (task.word().equals(options.get("task", ""))) return Optional.of(task);
        throw new UserError("--task", "unknown task \"" + options.get("task", "") + "\"", "tasks are transcribe, translate");
    }

    /// @return false if it was interrupted
    private static boolean one(Workspace workspace, Transcriber transcriber, String file, TranscriptionConfig config) {
        Render render = workspace.render();
        List<Segment> segments = new ArrayList<>();
        try (Transcription transcription = transcriber.transcribe(workspace.file(file), config)) {
            workspace.running(transcription::interrupt);
            while (transcription.hasNext()) {
                Segment segment = transcription.next();
                segments.add(segment);
                if (config.timestamps() && !render.json())
                    render.line(String.format(Locale.ROOT, "[%7.2f – %7.2f] %s", segment.start(), segment.end(), Render.visible(segment.text().strip())));
                render.progress(String.format(Locale.ROOT, "%.0f of %.0f s", transcription.heardSeconds(), transcription.seconds()));
            }
            render.clearProgress();
            Transcript rest = transcription.rest();
            Transcript whole = new Transcript(rest.language(), segments, rest.complete());
            if (render.json()) json(render, file, whole);
            else if (!config.timestamps()) render.line(Render.visible(whole.text().strip()));
            return whole.complete();
        } finally {
            workspace.running(null);
        }
    }

    private static void json(Render render, String file, Transcript transcript) {
        JsonObject line = new JsonObject();
        line.addProperty("file", file);
        line.addProperty("text", transcript.text().strip());
        transcript.language().ifPresent(language -> line.addProperty("language", language));
        JsonArray segments = new JsonArray();
        for (Segment segment : transcript.segments()) {
            JsonObject one = new JsonObject();
            one.addProperty("start", segment.start());
            one.addProperty("end", segment.end());
            one.addProperty("text", segment.text());
            segments.add(one);
        }
        line.add("segments", segments);
        render.line(line);
    }
}
