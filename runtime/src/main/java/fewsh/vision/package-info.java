/// Pictures as models take them: files decoded, then resized, cropped, scaled and normalised as a model's own settings say.
///
/// Data flow: a file → [fewsh.vision.Picture] → [fewsh.vision.Preprocessor] → `pixel_values` for a page that reads pictures.
/// ```java
/// Preprocessor preprocessor = Preprocessor.read(Path.of("vit"));
/// Tensor pixelValues = preprocessor.pixelValues(List.of(Picture.read(Path.of("cat.jpg"))));     // (1, 3, height, width)
/// ```
package fewsh.vision;
