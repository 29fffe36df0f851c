package fewsh.shell;

import fewsh.generate.KvCache;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/// The conversation as a tree of named branches, one of which is the current one; the first is `main`.
///
/// One cache serves them all: it holds what the current branch has read, and is told to keep what the others have beside that,
/// so that going to a branch computes nothing again. One thread.
final class Tree {
    static final String MAIN = "main";

    private final SequencedMap<String, Branch> branches = new LinkedHashMap<>();
    private Branch current = new Branch(MAIN);

    Tree() {
        branches.put(MAIN, current);
    }

    Branch current() {
        return current;
    }

    /// The branch of that name.
    Optional<Branch> branch(String name) {
        return Optional.ofNullable(branches.get(name));
    }

    /// In the order they were made.
    List<String> names() {
        return List.copyOf(branches.sequencedKeySet());
    }

    /// The branches forked from `parent`, in the order they were made.
    List<Branch> forks(Branch parent) {
        return branches.values().stream().filter(b -> b.parent().filter(parent::equals).isPresent()).toList();
    }

    /// A new branch of that name, from the present point on, becomes the current one.
    ///
    /// @param cache of the model that is loaded, if one is
    void fork(String name, Optional<KvCache> cache) {
        Branch branch = current.fork(name);
        branches.put(name, branch);
        cache.ifPresent(current::leave);
        current = branch;
        cache.ifPresent(c -> c.keep(others()));
    }

    /// `branch` becomes the current one: what it had read stands in the cache again.
    ///
    /// @param cache of the model that is loaded, if one is
    void go(Branch branch, Optional<KvCache> cache) {
        cache.ifPresent(c -> {
            current.leave(c);
            c.keep(branches.values().stream().map(Branch::ids).toList());
            c.reuse(branch.ids(), branch.ids().length);
        });
        current = branch;
        cache.ifPresent(c -> c.keep(others()));
    }

    private List<int[]> others() {
        List<int[]> ids = new ArrayList<>();
        for (Branch branch : branches.values()) if (branch != current) ids.add(branch.ids());
        return ids;
    }

    /// The model has gone: what was said stays, what it had read does not.
    void forget() {
        branches.values().forEach(Branch::forget);
    }
}
