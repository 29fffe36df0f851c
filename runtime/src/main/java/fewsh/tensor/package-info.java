/// Dtypes, dims, shapes and host tensors over memory segments: the nouns that every other package speaks of.
///
/// Data flow: a file's bytes or a caller's numbers → [Tensor] → `graph` initializers, `session` inputs and outputs.
/// ```java
/// Tensor ids = Tensor.ofInt64(new long[] {1, 2, 3}, 1, 3);
/// assert ids.shape().equals(Shape.of(1, 3));
/// ```
package fewsh.tensor;
