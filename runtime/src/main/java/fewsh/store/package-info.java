/// Names → files: the folder where fewsh keeps things, the catalogue of models it can name, pulling them from a hub, a URL,
/// the machine's package client or the disk, and the checksums that say a file is the one that was meant.
///
/// Only a pull opens a connection. Nothing is printed: progress is a [Progress] value that the caller draws.
///
/// Data flow: a name or a [Source] → files fetched beside each other under `models/.pull/NAME` → verified → moved to
/// `models/NAME` with a `model.json` → [Model].
/// ```java
/// Store store = Store.open(System.getenv());
/// Model model = store.pull("smollm2", progress -> {});
/// assert store.resolve("smollm2").path().equals(model.path());
/// ```
package fewsh.store;
