package fewsh.models;

import java.nio.file.Path;

/// An adapter's folder and how strongly it is to act.
///
/// @param scale factor of what its low-rank matrices add; what it replaces is replaced at any scale
public record Scaled(Path adapter, double scale) {}
