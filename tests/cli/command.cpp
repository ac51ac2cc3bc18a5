// SPDX-License-Identifier: BSL-1.0
#include "cli/command.hpp"

#include <filesystem>
#include <stdexcept>

namespace waybill::test {

const char* command_path() {
    return WAYBILL_COMMAND;
}

command_line command::line(std::vector<std::string> arguments) const {
    command_line what;
    what.argv = {command_path(), "--store", store_};
    what.argv.insert(what.argv.end(), arguments.begin(), arguments.end());
    return what;
}

finished_process command::run(std::vector<std::string> arguments) const {
    return run_process(line(std::move(arguments)));
}

process command::start(std::vector<std::string> arguments, const std::string& out_file) const {
    command_line what = line(std::move(arguments));
    what.out_file = out_file;
    what.err_file = dir_ / "err";
    return process(what);
}

std::string command::add(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "add");
    const finished_process done = run(std::move(arguments));
    if (done.status.code != 0 || done.out.empty() || done.out.back() != '\n') {
        throw std::runtime_error("the job was refused: " + done.err);
    }
    return done.out.substr(0, done.out.size() - 1);
}

std::vector<nlohmann::json> command::list() const {
    const finished_process done = run({"list", "--json"});
    if (done.status.code != 0) {
        throw std::runtime_error("list failed: " + done.err);
    }
    return json_lines(done.out);
}

namespace {

process start_receiver(const temp_dir& dir, double bytes_per_second) {
    command_line what;
    what.argv = {WAYBILL_RECEIVER, dir / "in", "0", std::to_string(bytes_per_second)};
    what.out_file = dir / "port";
    what.err_file = dir / "err";
    return process(what);
}

}  // namespace

receiver::receiver(double bytes_per_second) : server_(start_receiver(dir_, bytes_per_second)) {
    wait_for_text(server_, dir_ / "port", [](const std::string& text) { return text.find('\n') != std::string::npos; });
    port_ = lines_of(read_file(dir_ / "port")).at(0);
}

std::string receiver::url(const std::string& path) const {
    return "http://127.0.0.1:" + port_ + path;
}

std::vector<std::string> receiver::names() const {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(dir_ / "in")) {
        all.push_back(entry.path().filename().string());
    }
    return all;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> all;
    std::size_t at = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
        all.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return all;
}

std::vector<nlohmann::json> json_lines(const std::string& text) {
    std::vector<nlohmann::json> all;
    for (const std::string& line : lines_of(text)) {
        all.push_back(nlohmann::json::parse(line));
    }
    return all;
}

void wait_for_text(process& writer, const std::string& file, const std::function<bool(const std::string&)>& enough,
                   std::chrono::milliseconds most) {
    const auto until = std::chrono::steady_clock::now() + most;
    while (!enough(read_file(file))) {
        // The pause between two looks is a wait for the writer's end.
        if (writer.wait(std::chrono::milliseconds(5)) && !enough(read_file(file))) {
            throw std::runtime_error("the process ended before it wrote what was awaited: " + writer.words());
        }
        if (std::chrono::steady_clock::now() > until) {
            throw std::runtime_error("the process does not write what is awaited: " + writer.words());
        }
    }
}

}  // namespace waybill::test
