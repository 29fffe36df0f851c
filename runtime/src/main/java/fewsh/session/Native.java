package fewsh.session;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import ai.onnxruntime.OrtSession;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;

/// What ONNX Runtime's C API can do and its Java API cannot: say which provider each node of a session went to, and keep the
/// environment.
///
/// The C API is a table of functions whose order never changes; the numbers here are places in it, as in `onnxruntime_c_api.h`.
final class Native {
    /// The version of the table: that of the runtime in which all functions used here are.
    private static final int API_VERSION = 24;
    private static final int GET_ERROR_MESSAGE = 2;
    private static final int CREATE_ENV = 3;
    private static final int RELEASE_STATUS = 93;
    private static final int SESSION_GET_EP_GRAPH_ASSIGNMENT_INFO = 407;
    private static final int EP_ASSIGNED_SUBGRAPH_GET_EP_NAME = 408;
    private static final int EP_ASSIGNED_SUBGRAPH_GET_NODES = 409;
    private static final int EP_ASSIGNED_NODE_GET_NAME = 410;
    private static final int EP_ASSIGNED_NODE_GET_OPERATOR_TYPE = 412;
    private static final int SIZE = 413;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final FunctionDescriptor GET = FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS);
    private static final FunctionDescriptor GET_MANY = FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS, ADDRESS);

    private final MemorySegment api;
    private final MethodHandle errorMessage;
    private final MethodHandle releaseStatus;

    private Native(MemorySegment api) {
        this.api = api;
        this.errorMessage = function(GET_ERROR_MESSAGE, FunctionDescriptor.of(ADDRESS, ADDRESS));
        this.releaseStatus = function(RELEASE_STATUS, FunctionDescriptor.ofVoid(ADDRESS));
    }

    private static final class Holder {
        static final Native NATIVE = open();
    }

    /// The library is the one that the Java API has loaded.
    private static Native open() {
        try {
            MemorySegment base = (MemorySegment) LINKER.downcallHandle(SymbolLookup.loaderLookup().findOrThrow("OrtGetApiBase"),
                    FunctionDescriptor.of(ADDRESS)).invokeExact();
            MethodHandle getApi = LINKER.downcallHandle(base.reinterpret(ADDRESS.byteSize()).get(ADDRESS, 0),
                    FunctionDescriptor.of(ADDRESS, JAVA_INT));
            MemorySegment api = (MemorySegment) getApi.invokeExact(API_VERSION);
            if (api.equals(MemorySegment.NULL)) throw new IllegalStateException("no C API of version " + API_VERSION);
            return new Native(api.reinterpret(SIZE * ADDRESS.byteSize()));
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /// Keeps the runtime's environment alive until the process is gone. The Java API releases it when the JVM shuts down,
    /// whatever still runs; a plugin is then unloaded under a run, which ends the process by a signal. The environment counts its users:
    /// this is one that never leaves.
    static void keepEnvironment() {
        Native c = Holder.NATIVE;
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle createEnv = c.function(CREATE_ENV, FunctionDescriptor.of(ADDRESS, JAVA_INT, ADDRESS, ADDRESS));
            c.check((MemorySegment) createEnv.invokeExact(FATAL, arena.allocateFrom("fewsh"), arena.allocate(ADDRESS)));
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    private static final int FATAL = 4;

    /// A node that a provider took.
    record Placed(String provider, String node, String operator) {}

    /// Of a session opened with `RECORD` set.
    static List<Placed> placement(OrtSession session) {
        List<Placed> nodes = new ArrayList<>();
        Native c = Holder.NATIVE;
        try (Arena arena = Arena.ofConfined()) {
            for (MemorySegment part : c.many(arena, SESSION_GET_EP_GRAPH_ASSIGNMENT_INFO, handle(session))) {
                String name = c.text(arena, EP_ASSIGNED_SUBGRAPH_GET_EP_NAME, part);
                String provider = name.replace("ExecutionProvider", "").toLowerCase();
                for (MemorySegment node : c.many(arena, EP_ASSIGNED_SUBGRAPH_GET_NODES, part))
                    nodes.add(new Placed(provider, c.text(arena, EP_ASSIGNED_NODE_GET_NAME, node),
                            c.text(arena, EP_ASSIGNED_NODE_GET_OPERATOR_TYPE, node)));
            }
        }
        return nodes;
    }

    /// The session configuration entry without which nothing is recorded.
    static final String RECORD = "session.record_ep_graph_assignment_info";

    /// The Java API keeps the C session to itself.
    private static MemorySegment handle(OrtSession session) {
        try {
            Field field = OrtSession.class.getDeclaredField("nativeHandle");
            field.setAccessible(true);
            return MemorySegment.ofAddress(field.getLong(session));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private String text(Arena arena, int place, MemorySegment of) {
        MemorySegment out = arena.allocate(ADDRESS);
        try {
            check((MemorySegment) function(place, GET).invokeExact(of, out));
        } catch (Throwable e) {
            throw thrown(e);
        }
        return string(out.get(ADDRESS, 0));
    }

    private MemorySegment[] many(Arena arena, int place, MemorySegment of) {
        MemorySegment out = arena.allocate(ADDRESS);
        MemorySegment count = arena.allocate(JAVA_LONG);
        try {
            check((MemorySegment) function(place, GET_MANY).invokeExact(of, out, count));
        } catch (Throwable e) {
            throw thrown(e);
        }
        MemorySegment array = out.get(ADDRESS, 0).reinterpret(count.get(JAVA_LONG, 0) * ADDRESS.byteSize());
        return array.elements(ADDRESS).map(e -> e.get(ADDRESS, 0)).toArray(MemorySegment[]::new);
    }

    private MethodHandle function(int place, FunctionDescriptor type) {
        return LINKER.downcallHandle(api.getAtIndex(ADDRESS, place), type);
    }

    private void check(MemorySegment status) throws Throwable {
        if (status.equals(MemorySegment.NULL)) return;
        String message = string((MemorySegment) errorMessage.invokeExact(status));
        releaseStatus.invokeExact(status);
        throw new IllegalStateException("onnxruntime: " + message);
    }

    private static String string(MemorySegment text) {
        return text.reinterpret(Long.MAX_VALUE).getString(0);
    }

    private static RuntimeException thrown(Throwable e) {
        return switch (e) {
            case Error error -> throw error;
            case RuntimeException known -> known;
            case Throwable other -> new IllegalStateException(other);
        };
    }
}
