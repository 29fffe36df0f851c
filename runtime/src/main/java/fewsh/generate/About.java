package fewsh.generate;

import fewsh.models.Precision;
import fewsh.session.Device;
import java.nio.file.Path;
import java.util.List;

/// What a person wants to know of a loaded model.
///
/// @param name of the model, as its file says or the file is called
/// @param precision decided, never `auto`
/// @param licence as the file states it; empty if it does not
/// @param sizeBytes of its weights on disk
/// @param predictedBytes of memory, with the whole context filled
public record About(
        String name, String architecture, long parameters, Precision precision, Device device, int contextLength, int vocabSize,
        boolean chatTemplate, String licence, List<Path> files, long sizeBytes, long predictedBytes) {
    public About {
        files = List.copyOf(files);
    }
}
