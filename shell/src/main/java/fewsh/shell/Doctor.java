package fewsh.shell;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.session.Device;
import fewsh.session.Session;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// `fewsh doctor`: what this machine has.
record Doctor(String jdk, String os, int cores, long memoryTotal, long memoryFree, Path home, long homeFree, String runtime,
        List<Device.Status> providers) {
    static int run(Workspace workspace, Options options) {
        options.expect("doctor", "nothing", 0, 0);
        Doctor doctor = of(workspace.home().root(), workspace.home().providers());
        if (workspace.render().json()) workspace.render().line(doctor.json());
        else doctor.show(workspace.render());
        return 0;
    }

    private static Doctor of(Path home, Path providers) {
        var machine = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return new Doctor(System.getProperty("java.vm.vendor") + " " + System.getProperty("java.runtime.version"),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " " + System.getProperty("os.arch"),
                java.lang.Runtime.getRuntime().availableProcessors(), machine.getTotalMemorySize(), available(machine), home,
                free(home), Session.version(), Device.all(providers));
    }

    /// What programs could still take: on Linux the page cache counts as free.
    private static long available(com.sun.management.OperatingSystemMXBean machine) {
        long available = Memory.line(Path.of("/proc/meminfo"), "MemAvailable");
        return available < 0 ? machine.getFreeMemorySize() : Math.min(available, machine.getTotalMemorySize());
    }

    /// Bytes free where `folder` is, or will be.
    private static long free(Path folder) {
        Path there = folder;
        while (there != null && !Files.exists(there)) there = there.getParent();
        if (there == null) return -1;
        try {
            return Files.getFileStore(there).getUsableSpace();
        } catch (IOException e) {
            throw new UserError(folder.toString(), "its free space cannot be read: " + e.getMessage(), "", e);
        }
    }

    private JsonObject json() {
        JsonObject line = new JsonObject();
        line.addProperty("fewsh", Main.VERSION);
        line.addProperty("jdk", jdk);
        line.addProperty("os", os);
        line.addProperty("cores", cores);
        JsonObject memory = new JsonObject();
        memory.addProperty("total", memoryTotal);
        memory.addProperty("free", memoryFree);
        line.add("memory_bytes", memory);
        line.addProperty("home", home.toString());
        line.add("home_free_bytes", homeFree < 0 ? JsonNull.INSTANCE : new JsonPrimitive(homeFree));
        line.addProperty("onnxruntime", runtime);
        JsonArray all = new JsonArray();
        for (Device.Status provider : providers) {
            JsonObject one = new JsonObject();
            one.addProperty("provider", provider.provider().word());
            one.addProperty("available", provider.available());
            one.addProperty("detail", provider.detail());
            all.add(one);
        }
        line.add("providers", all);
        return line;
    }

    private void show(Render render) {
        row(render, "fewsh", Main.VERSION);
        row(render, "jdk", jdk);
        row(render, "os", os);
        row(render, "cores", Integer.toString(cores));
        row(render, "memory", Render.bytes(memoryFree) + " free of " + Render.bytes(memoryTotal));
        row(render, "home", home + (homeFree < 0 ? "" : ", " + Render.bytes(homeFree) + " free"));
        row(render, "onnxruntime", runtime);
        render.line("");
        for (Device.Status provider : providers)
            render.line((provider.available() ? render.paint(Style.GREEN, "✓") : render.paint(Style.DIM, "–")) + " "
                    + String.format("%-9s", provider.provider().word()) + " "
                    + (provider.available() ? provider.detail() : render.paint(Style.DIM, "missing: " + provider.detail())));
    }

    private static void row(Render render, String name, String value) {
        render.line(render.paint(Style.DIM, String.format("%-11s", name)) + "  " + value);
    }
}
