package fewsh.encode;

/// One way to fill a mask.
///
/// @param token as a text of its own, for example ` Paris`
/// @param piece as the vocabulary spells it, for example `ĠParis`
/// @param text the whole text with this token in the mask's place
/// @param score its probability among all tokens
public record Filled(int id, String token, String piece, String text, float score) {}
