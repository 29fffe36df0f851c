# Read by ../mvnw and ../fewsh: finds a JDK 25. No process is started for a JDK that has a `release` file.
#
# `find_jdk25` sets java_home, and jdk_build (such as "25.0.3+9-LTS-Eclipse"), which names the AOT cache made with it.

find_jdk25() {
    if [ -n "${FEWSH_JAVA_HOME-}" ]; then
        is_jdk25 "$FEWSH_JAVA_HOME" && return
        echo "error: FEWSH_JAVA_HOME: \"$FEWSH_JAVA_HOME\" is not a JDK 25" >&2
        echo "  fix: name the folder that has bin/java of a JDK 25, or unset it to have one looked for" >&2
        exit 2
    fi
    [ -n "${JAVA_HOME-}" ] && is_jdk25 "$JAVA_HOME" && return
    java_path=$(command -v java) && java_path=$(readlink -f "$java_path" 2>/dev/null) &&
        is_jdk25 "${java_path%/bin/java}" && return
    for folder in /usr/lib/jvm/* /opt/* /opt/java/* \
        "${HOME-}"/.sdkman/candidates/java/* "${HOME-}"/.jdks/* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home "${HOME-}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
        /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home
    do
        is_jdk25 "$folder" && return
    done
    echo "error: no JDK 25 on this machine (FEWSH_JAVA_HOME, JAVA_HOME, PATH and the usual folders were looked at)" >&2
    echo "  fix: install one, then run this again:" >&2
    echo "         sdk install java 25-tem                  any system with SDKMAN" >&2
    echo "         apt install openjdk-25-jdk-headless      Debian 14, Ubuntu 25.10 and later" >&2
    echo "         dnf install java-25-openjdk-devel        Fedora 43 and later" >&2
    echo "         brew install openjdk@25                  macOS" >&2
    echo "         or unpack https://adoptium.net/temurin/releases?version=25 and set FEWSH_JAVA_HOME to its folder" >&2
    exit 2
}

is_jdk25() {
    [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] || return 1
    release_version='' release_build='' release_vendor=''
    if [ -r "$1/release" ]; then
        while IFS='=' read -r release_key release_value; do
            release_value=${release_value#\"}
            release_value=${release_value%\"}
            case $release_key in
                JAVA_VERSION) release_version=$release_value ;;
                JAVA_RUNTIME_VERSION) release_build=$release_value ;;
                IMPLEMENTOR) release_vendor=${release_value%%[ /]*} ;;
            esac
        done <"$1/release"
    else
        release_version=$("$1/bin/java" -version 2>&1 | sed -n 's/.* version "\([^"]*\)".*/\1/p')
    fi
    case $release_version in
        25 | 25.*) ;;
        *) return 1 ;;
    esac
    java_home=$1
    jdk_build=${release_build:-$release_version}-${release_vendor:-unknown}
}
