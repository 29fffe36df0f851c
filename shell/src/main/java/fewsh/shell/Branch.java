package fewsh.shell;

import fewsh.generate.KvCache;
import fewsh.prompt.Composition;
import fewsh.prompt.Message;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/// One line of the conversation from its first turn on: what was said, under which system message, and the last answer.
///
/// Which ids the model had read at its end is known while another branch is the current one: [Tree] then has their keys and
/// values kept. Changed by [Tree] and by what goes on in the current branch; one thread.
final class Branch {
    private final String name;
    private final Branch parent;
    private final List<Message> messages;
    private String system;
    private Composition composition;
    private Question question = Question.PLAIN;
    private Answer last;
    private int[] ids = new int[0];
    /// By the number of messages: how many positions the cache held when there were as many.
    private final NavigableMap<Integer, Integer> ends = new TreeMap<>();

    /// The first branch: an empty conversation.
    Branch(String name) {
        this.name = name;
        this.parent = null;
        this.messages = new ArrayList<>();
        this.system = "";
        this.composition = Composition.EMPTY;
    }

    private Branch(String name, Branch parent) {
        this.name = name;
        this.parent = parent;
        this.messages = new ArrayList<>(parent.messages);
        this.system = parent.system;
        this.composition = parent.composition;
        this.question = parent.question;
        this.last = parent.last;
        this.ends.putAll(parent.ends);
    }

    /// A branch that goes on from here.
    Branch fork(String name) {
        return new Branch(name, this);
    }

    String name() {
        return name;
    }

    /// The branch that this one was forked from; empty for the first.
    Optional<Branch> parent() {
        return Optional.ofNullable(parent);
    }

    /// User and assistant by turns; the system message apart.
    List<Message> messages() {
        return messages;
    }

    /// How many prompts there are.
    int turns() {
        return (int) messages.stream().filter(m -> m.role().equals("user")).count();
    }

    /// Empty when there is none.
    String lastPrompt() {
        return messages.reversed().stream().filter(m -> m.role().equals("user")).findFirst().map(Message::text).orElse("");
    }

    /// Empty when there is none.
    String system() {
        return system;
    }

    void system(String text) {
        system = text;
    }

    /// The parts of the prompts that are typed here.
    Composition composition() {
        return composition;
    }

    void composition(Composition composition) {
        this.composition = composition;
    }

    /// What becomes of what is typed here.
    Question question() {
        return question;
    }

    void question(Question question) {
        this.question = question;
    }

    Optional<Answer> last() {
        return Optional.ofNullable(last);
    }

    void last(Answer answer) {
        last = answer;
    }

    /// Another conversation takes the place of this one.
    void replace(List<Message> others) {
        messages.clear();
        messages.addAll(others);
        last = null;
        ends.clear();
    }

    /// The last of the messages is an answer that has just been read by the model.
    void answered(KvCache cache) {
        ends.put(messages.size(), cache.length());
    }

    /// The ids to be kept while another branch is the current one; without a cache none.
    int[] ids() {
        return ids;
    }

    /// Notes which of the ids in `cache` this branch wants to find again: not those of turns that were taken back.
    void leave(KvCache cache) {
        var end = ends.floorEntry(messages.size());
        ids = Arrays.copyOf(cache.ids(), end == null ? 0 : Math.min(end.getValue(), cache.length()));
    }

    /// The model has gone, and what it had read.
    void forget() {
        ids = new int[0];
        ends.clear();
        last = null;
    }
}
