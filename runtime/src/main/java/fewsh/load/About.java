package fewsh.load;

import fewsh.models.Checkpoint;
import fewsh.models.Page;
import fewsh.models.Precision;
import fewsh.session.Device;
import fewsh.session.Placement;
import java.nio.file.Path;
import java.util.List;

/// What a person wants to know of a loaded model.
///
/// @param name of the model, as its file says or the file is called
/// @param precision decided, never `auto`
/// @param licence as the file states it; empty if it does not
/// @param sizeBytes of its weights on disk
/// @param predictedBytes of memory, with the whole context filled
/// @param placement of the nodes of the graphs that are open; none before
public record About(
        String name, String architecture, long parameters, Precision precision, Device device, int contextLength, int vocabSize,
        boolean chatTemplate, String licence, List<Path> files, long sizeBytes, long predictedBytes,
        Placement placement) {
    public About {
        files = List.copyOf(files);
    }

    /// What is known of a checkpoint before it is loaded; that it has no chat template is assumed.
    static About of(Checkpoint checkpoint, Page page, Precision precision, Device device, Footprint footprint) {
        var metadata = checkpoint.weights().metadata();
        Path path = checkpoint.path();
        Path file = path.toAbsolutePath().normalize().getFileName();
        String name = metadata.get("general.name") instanceof String s && !s.isBlank() ? s
                : file == null ? path.toString() : file.toString().replaceFirst("\\.gguf$", "");
        String licence = metadata.get("general.license") instanceof String s ? s : "";
        return new About(name, checkpoint.settings().text("model_type", ""), checkpoint.parameters(), precision, device,
                page.contextLength(), page.vocabSize(), false, licence, checkpoint.weights().files(),
                checkpoint.weights().bytes(), footprint.whole(), Placement.NONE);
    }

    /// With what a graph tells of itself.
    public About with(int vocabSize, long cachePosition) {
        return new About(name, architecture, parameters, precision, device, contextLength, vocabSize, chatTemplate, licence, files,
                sizeBytes, new Footprint(sizeBytes, cachePosition, contextLength).whole(), placement);
    }

    public About withChatTemplate(boolean chatTemplate) {
        return new About(name, architecture, parameters, precision, device, contextLength, vocabSize, chatTemplate, licence, files,
                sizeBytes, predictedBytes, placement);
    }

    About withPlacement(Placement placement) {
        return new About(name, architecture, parameters, precision, device, contextLength, vocabSize, chatTemplate, licence, files,
                sizeBytes, predictedBytes, placement);
    }
}
