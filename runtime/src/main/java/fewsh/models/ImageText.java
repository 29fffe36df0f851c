package fewsh.models;

/// A page whose model reads pictures with its graph `vision`, whose results stand among the embedded tokens that its graph
/// `model` continues.
public non-sealed interface ImageText extends Page {
    @Override
    default String uses() {
        return "ask --image";
    }
}
