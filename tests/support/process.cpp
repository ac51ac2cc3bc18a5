// SPDX-License-Identifier: BSL-1.0
#include "support/process.hpp"

#include "support/temp_dir.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc before 2.37 declares its functions as C++ ones.
extern "C" {
#include <sys/pidfd.h>
}

namespace waybill::test {
namespace {

using clock = std::chrono::steady_clock;

// posix_spawn's two argument objects, freed together.
struct spawn_arguments {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    spawn_arguments() {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
    }
    spawn_arguments(const spawn_arguments&) = delete;
    spawn_arguments& operator=(const spawn_arguments&) = delete;
    ~spawn_arguments() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& t : texts) {
        result.push_back(t.data());
    }
    result.push_back(nullptr);
    return result;
}

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& changes) {
    std::vector<std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::string_view name = text.substr(0, text.find('='));
        if (std::none_of(changes.begin(), changes.end(), [&](const auto& c) { return c.first == name; })) {
            result.emplace_back(text);
        }
    }
    for (const auto& [name, value] : changes) {
        result.push_back(name + "=" + value);
    }
    return result;
}

bool accepts(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    ::close(fd);
    return connected;
}

}  // namespace

process::process(command_line what) : what_(std::move(what)) {
    const std::string program = find_program(what_.argv.at(0));
    if (program.empty()) {
        throw std::runtime_error("program '" + what_.argv[0] + "' is not installed");
    }
    spawn_arguments how;
    const auto redirect = [&](int fd, const std::string& file) {
        if (!file.empty()) {
            posix_spawn_file_actions_addopen(&how.actions, fd, file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
        }
    };
    posix_spawn_file_actions_addopen(&how.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    redirect(STDOUT_FILENO, what_.out_file);
    redirect(STDERR_FILENO, what_.err_file);
    if (!what_.directory.empty()) {
        posix_spawn_file_actions_addchdir_np(&how.actions, what_.directory.c_str());
    }
    // The tests ignore SIGPIPE, and a child would inherit that.
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&how.attributes, &defaults);
    posix_spawnattr_setpgroup(&how.attributes, 0);
    posix_spawnattr_setflags(&how.attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);

    std::vector<std::string> environment = environment_with(what_.env);
    const int rc = ::posix_spawn(&pid_, program.c_str(), &how.actions, &how.attributes, pointers_to(what_.argv).data(),
                                 pointers_to(environment).data());
    if (rc != 0) {
        throw std::runtime_error("cannot start " + program + ": " + std::generic_category().message(rc));
    }
    watch_ = ::pidfd_open(pid_, 0);
    if (watch_ < 0) {
        const int number = errno;
        end_group();
        throw std::runtime_error("cannot watch " + program + ": " + std::generic_category().message(number));
    }
}

process::process(process&& other) noexcept
    : what_(std::move(other.what_)), pid_(std::exchange(other.pid_, -1)), watch_(std::exchange(other.watch_, -1)),
      ended_(other.ended_) {}

process& process::operator=(process&& other) noexcept {
    std::swap(what_, other.what_);
    std::swap(pid_, other.pid_);
    std::swap(watch_, other.watch_);
    std::swap(ended_, other.ended_);
    return *this;
}

process::~process() {
    end_group();
    if (watch_ >= 0) {
        ::close(watch_);
    }
}

void process::end_group() noexcept {
    if (pid_ <= 0) {
        return;
    }
    ::kill(-pid_, SIGKILL);
    if (!ended_) {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
    }
}

bool process::running() {
    return !wait(std::chrono::milliseconds(0));
}

void process::kill(int signal) {
    if (!ended_) {
        ::kill(pid_, signal);
    }
}

std::optional<exit_status> process::wait(std::chrono::milliseconds most) {
    if (ended_) {
        return ended_;
    }
    pollfd what{watch_, POLLIN, 0};
    const auto until = clock::now() + most;
    int ready = 0;
    do {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
        ready = ::poll(&what, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) {
        return std::nullopt;
    }
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) {
        return std::nullopt;
    }
    ended_.emplace();
    if (WIFSIGNALED(status)) {
        ended_->signal = WTERMSIG(status);
    } else {
        ended_->code = WEXITSTATUS(status);
    }
    return ended_;
}

void process::wait_for_port(std::uint16_t port, std::chrono::milliseconds most) {
    const auto until = clock::now() + most;
    while (!accepts(port)) {
        // The pause between two tries is a wait for the process's end: then there is no use in trying on.
        if (wait(std::chrono::milliseconds(10))) {
            throw std::runtime_error(what_.argv[0] + " ended with code " + std::to_string(ended_->code) + ", signal " +
                                     std::to_string(ended_->signal) + ": " + words());
        }
        if (clock::now() > until) {
            throw std::runtime_error(what_.argv[0] + " does not accept on port " + std::to_string(port) + ": " +
                                     words());
        }
    }
}

std::string process::words() const {
    std::string result = what_.out_file.empty() ? "" : read_file(what_.out_file);
    if (!what_.err_file.empty() && what_.err_file != what_.out_file) {
        result += read_file(what_.err_file);
    }
    return result;
}

finished_process run_process(command_line what, std::chrono::milliseconds most) {
    const temp_dir dir;
    what.out_file = dir / "out";
    what.err_file = dir / "err";
    process child(what);
    const std::optional<exit_status> status = child.wait(most);
    if (!status) {
        throw std::runtime_error(what.argv[0] + " does not end: " + child.words());
    }
    return {*status, read_file(what.out_file), read_file(what.err_file)};
}

std::string find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) {
        return ::access(name.c_str(), X_OK) == 0 ? name : "";
    }
    const char* const path = std::getenv("PATH");
    // Servers live in the system directories, which a user's PATH does not have on every machine.
    std::string_view left(path == nullptr ? "" : path);
    const std::string all = std::string(left) + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
    for (left = all; !left.empty();) {
        const auto colon = left.find(':');
        const std::string candidate = std::string(left.substr(0, colon)) + "/" + name;
        if (::access(candidate.c_str(), X_OK) == 0) {
            return candidate;
        }
        left = colon == std::string_view::npos ? "" : left.substr(colon + 1);
    }
    return {};
}

std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 &&
                       ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length) == 0;
    ::close(fd);
    if (!bound) {
        throw std::runtime_error("no free port on 127.0.0.1");
    }
    return ntohs(at.sin_port);
}

}  // namespace waybill::test
