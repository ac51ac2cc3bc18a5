// SPDX-License-Identifier: BSL-1.0
#include "support/node_server.hpp"

#include <waybill/platform/unique_fd.hpp>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace waybill::test {
namespace {

// The first line that comes through a pipe. The reader's end was open before the writer began, so nothing is
// missed; a writer that dies leaves the line unfinished.
std::string first_line(int fd, std::chrono::seconds most) {
    const auto until = std::chrono::steady_clock::now() + most;
    std::string line;
    while (line.find('\n') == std::string::npos) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd what{fd, POLLIN, 0};
        const int ready = left.count() > 0 ? ::poll(&what, 1, static_cast<int>(left.count())) : 0;
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        char piece[256];
        const ssize_t got = ready > 0 ? ::read(fd, piece, sizeof piece) : 0;
        if (got <= 0) {
            break;
        }
        line.append(piece, static_cast<std::size_t>(got));
    }
    return line;
}

}  // namespace

command_line node_script(const std::string& script) {
    const std::filesystem::path servers = WAYBILL_SERVERS;
    const std::string own_node = servers / "node_modules/.bin/node";
    command_line what;
    what.argv = {std::filesystem::exists(own_node) ? own_node : "node", servers / script};
    return what;
}

node_server::node_server(std::string script, environment env) : script_(std::move(script)), env_(std::move(env)) {
    env_.emplace_back("LOG", dir_.write("log", ""));
    start();
}

void node_server::start() {
    process_.reset();
    const std::string pipe = dir_ / "out";
    std::filesystem::remove(pipe);
    if (::mkfifo(pipe.c_str(), 0600) != 0) {
        throw std::system_error(errno, std::generic_category(), "a pipe for " + script_);
    }
    const detail::unique_fd reader(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));

    command_line what = node_script(script_);
    what.env = env_;
    if (port_ != 0) {
        what.env.emplace_back("PORT", std::to_string(port_));
    }
    what.directory = dir_.path();
    what.out_file = pipe;
    what.err_file = dir_ / "err";
    process_.emplace(what);

    const std::string line = first_line(reader.get(), std::chrono::seconds(30));
    constexpr std::string_view begin = "port ";
    if (line.compare(0, begin.size(), begin) != 0 ||
        std::from_chars(line.data() + begin.size(), line.data() + line.size(), port_).ec != std::errc{}) {
        throw std::runtime_error(script_ + " did not come up (are its packages installed? ctest -R servers): " + line +
                                 words());
    }
}

}  // namespace waybill::test
