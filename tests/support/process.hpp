// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace waybill::test {

/// What to start and where its words go.
struct command_line {
    std::vector<std::string> argv;  ///< argv[0] is looked up in PATH
    /// Added to this process's environment, or replacing what it has.
    std::vector<std::pair<std::string, std::string>> env;
    std::string directory;  ///< empty: this process's own
    std::string out_file;   ///< where stdout goes; empty: where this process's own goes
    std::string err_file;   ///< the same for stderr; may be the same file
};

/// How a process ended.
struct exit_status {
    int code = -1;   ///< its exit code; -1 when a signal killed it
    int signal = 0;  ///< the signal that killed it, or 0

    bool operator==(const exit_status&) const = default;
};

/// A child process, in a process group of its own. Whatever is left of the group when the object
/// dies is killed.
class process {
public:
    /// Throws `std::runtime_error`, with the program's name, when it cannot be started.
    explicit process(command_line what);
    process(process&& other) noexcept;
    process& operator=(process&& other) noexcept;
    ~process();

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] bool running();

    /// Sends a signal to the process, not to its group.
    void kill(int signal);

    /// Waits for its end; `std::nullopt` when it still runs after `most`.
    std::optional<exit_status> wait(std::chrono::milliseconds most);

    /// Waits until somebody accepts connections on 127.0.0.1:`port`. Throws `std::runtime_error`
    /// with what the process wrote when it ends first or `most` has passed.
    void wait_for_port(std::uint16_t port, std::chrono::milliseconds most = std::chrono::seconds(20));

    /// What it wrote to `out_file` and `err_file` so far, for a failure's text.
    [[nodiscard]] std::string words() const;

private:
    void end_group() noexcept;

    command_line what_;
    pid_t pid_ = -1;
    int watch_ = -1;  // a pidfd: readable once the process has ended
    std::optional<exit_status> ended_;
};

/// What a short-lived program did.
struct finished_process {
    exit_status status;
    std::string out;
    std::string err;
};

/// Runs a program to its end, with what it writes captured. Throws when it takes longer than `most`.
finished_process run_process(command_line what, std::chrono::milliseconds most = std::chrono::seconds(60));

/// The program's path, looked up in PATH and in the system directories; empty when there is none.
[[nodiscard]] std::string find_program(const std::string& name);

/// A TCP port of 127.0.0.1 that nobody uses at this moment.
[[nodiscard]] std::uint16_t free_port();

}  // namespace waybill::test
