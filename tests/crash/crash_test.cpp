// SPDX-License-Identifier: BSL-1.0
//
// The promise, tried on the real command: what was accepted arrives, whatever moment the power
// of `kill -9` chooses. `waybill run` is killed again and again while the receiver is in the middle
// of its files, and so is `waybill add`; in the end everything that was accepted must be there,
// byte by byte, and nothing else.
//
//   crash_test --via put|multipart [--kills N] [--seed S]

#include <waybill/testing/seeded_random.hpp>

#include "cli/command.hpp"
#include "support/http_record.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

using namespace waybill::test;
using std::chrono::milliseconds;

namespace {

struct settings {
    std::string via = "put";
    int kills = 100;
    std::uint64_t seed = std::random_device()();
    double rate = 25e6;  // of the receiver: a job takes about as long as a run may live
};

/// A job that was offered to the command.
struct offer {
    std::string id;  ///< its own, or the one `add` printed; empty: none, or killed before it was printed
    std::map<std::string, std::string> files;  ///< path of each, and its SHA-256
    bool accepted = false;                     ///< `add` printed the id
};

struct counts {
    int kills = 0;
    int in_transfer = 0;  ///< the server was in the middle of a file of this run
    int adds_killed = 0;
    int adds_accepted = 0;  ///< of these: had printed the id before
    std::size_t jobs = 0;
    std::size_t files = 0;
    std::uintmax_t bytes = 0;
};

/// A broken promise; its text says which.
struct broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class campaign {
public:
    explicit campaign(const settings& s) : settings_(s), random_(s.seed), server_(s.rate) {}

    counts run() {
        while (counts_.kills < settings_.kills) {
            refill();
            for (std::uint64_t i = 0; i < 3 && counts_.kills < settings_.kills; ++i) {
                run_and_kill();
                show();
            }
        }
        finish();
        return counts_;
    }

private:
    std::set<std::string> partial_files() const {
        std::set<std::string> all;
        for (const std::string& name : server_.names()) {
            if (name.ends_with(".part")) {
                all.insert(name);
            }
        }
        return all;
    }

    // More than one round can deliver.
    void refill() {
        const std::vector<nlohmann::json> jobs = waybill_.list();
        const auto open =
            std::count_if(jobs.begin(), jobs.end(), [](const auto& j) { return j["state"] != "completed"; });
        for (auto i = open; i < 12; ++i) {
            offer_job();
        }
    }

    // Some fit into what the kernel takes ahead, some do not.
    std::size_t random_size() {
        switch (random_.below(8)) {
            case 0: return 0;
            case 1: return 1 + random_.below(5'000);
            case 2:
            case 3:
            case 4: return 1 + random_.below(400'000);
            case 5:
            case 6: return 1 + random_.below(3'000'000);
            default: return 1 + random_.below(9'000'000);
        }
    }

    void offer_job() {
        offer one;
        const std::string number = std::to_string(offers_.size());
        std::vector<std::string> arguments = {"add", "--to"};
        if (settings_.via == "put") {
            arguments.push_back(server_.url("/files/"));
        } else {
            arguments.insert(arguments.end(),
                             {server_.url("/posts"), "--via", "multipart", "--field", "job=" + number});
            // The receiver keeps what has the same key once: so asking it again is safe.
            arguments.insert(arguments.end(), {"--if-unknown", "retry-same-key"});
        }
        if (random_.chance(0.5)) {
            one.id = "job-" + number;
            arguments.insert(arguments.end(), {"--id", one.id});
        }
        for (std::uint64_t i = 0, count = 1 + random_.below(4); i < count; ++i) {
            const std::string content = random_bytes(random_size(), random_.next());
            const std::string path = waybill_.dir().write("job-" + number + "-" + std::to_string(i), content);
            one.files[path] = sha256(content);
            arguments.push_back(path);
        }
        add(one, arguments);
        offers_.push_back(std::move(one));
    }

    void add(offer& one, const std::vector<std::string>& arguments) {
        const bool killed = random_.chance(0.4);
        if (killed) {
            add_and_kill(one, arguments);
        }
        // Without an id of one's own nobody can tell whether to ask again; with one it is safe.
        if (!killed || (!one.accepted && !one.id.empty())) {
            const finished_process done = waybill_.run(arguments);
            require(done.status.code == 0, "add ended with " + std::to_string(done.status.code) + ": " + done.err);
            take_id(one, done.out);
        }
    }

    void add_and_kill(offer& one, const std::vector<std::string>& arguments) {
        const std::string out = waybill_.dir() / "add.out";
        std::filesystem::remove(out);
        process adding = waybill_.start(arguments, out);
        adding.wait(milliseconds(random_.below(25)));
        adding.kill(SIGKILL);
        const bool killed = adding.wait(std::chrono::seconds(30)) == exit_status{-1, SIGKILL};
        counts_.adds_killed += killed ? 1 : 0;
        const std::string printed = read_file(out);
        if (!printed.empty() && printed.back() == '\n') {
            counts_.adds_accepted += killed ? 1 : 0;
            take_id(one, printed);
        }
    }

    void take_id(offer& one, const std::string& printed) {
        const std::string id = printed.substr(0, printed.size() - 1);
        require(one.id.empty() || one.id == id, "add printed another id than it was given: " + id);
        one.id = id;
        one.accepted = true;
    }

    void run_and_kill() {
        const std::set<std::string> before = partial_files();
        const std::string out = waybill_.dir() / "run.out";
        process running = waybill_.start({"run", "--progress", "none"}, out);
        // Most moments are in the middle of a transfer, some already while the store is being opened.
        const milliseconds delay(random_.chance(0.1) ? random_.below(30) : 30 + random_.below(600));
        require(!running.wait(delay), "run ended by itself: " + running.words());
        const std::set<std::string> now = partial_files();
        running.kill(SIGKILL);
        running.wait(std::chrono::seconds(30));
        ++counts_.kills;
        counts_.in_transfer += std::includes(before.begin(), before.end(), now.begin(), now.end()) ? 0 : 1;
    }

    void finish() {
        command_line last = waybill_.line({"run", "--until-idle", "--progress", "none"});
        const finished_process done = run_process(last, std::chrono::minutes(10));
        require(done.status.code == 0, "the last run ended with " + std::to_string(done.status.code) + ": " + done.err);
        wait_for_killed_requests();

        std::map<std::string, std::string> expected;  // name at the server, and its SHA-256
        std::set<std::string> ids;
        for (const nlohmann::json& job : waybill_.list()) {
            check_job(job, expected);
            ids.insert(job["id"]);
        }
        for (const offer& one : offers_) {
            require(!one.accepted || ids.count(one.id) == 1, "lost: job " + one.id);
        }
        const std::vector<std::string> names = server_.names();
        for (const std::string& name : names) {
            require(expected.count(name) == 1, "the server has a file nobody sent: " + name);
        }
        require(names.size() == expected.size(), "the server lacks files");
        for (const auto& [name, sum] : expected) {
            require(sha256_of_file(server_.received(name)) == sum, "corrupt: " + name);
            counts_.bytes += std::filesystem::file_size(server_.received(name));
        }
        counts_.files = expected.size();
        counts_.jobs = ids.size();
        require(counts_.in_transfer * 2 > counts_.kills, "too few kills hit a transfer: this proves nothing");
    }

    // What the kernel had taken from a killed run is still being read by the server.
    void wait_for_killed_requests() {
        command_line nothing;
        nothing.argv = {"sleep", "60"};
        process patience(nothing);
        while (!partial_files().empty()) {
            require(!patience.wait(milliseconds(10)), "partial files remain: " + *partial_files().begin());
        }
    }

    /// The job is one that was offered, is there with all of its items, and completed.
    void check_job(const nlohmann::json& job, std::map<std::string, std::string>& expected) {
        const std::string id = job["id"];
        const std::string first = job["items"].at(0)["path"];
        const auto found =
            std::find_if(offers_.begin(), offers_.end(), [&](const offer& o) { return o.files.count(first); });
        require(found != offers_.end(), "a job nobody offered: " + id);
        require(found->id.empty() || found->id == id, "accepted twice: " + found->id + " and " + id);
        found->id = id;  // the next one with these files is a second one
        require(job["items"].size() == found->files.size(), "half a job: " + id);
        require(job["state"] == "completed", "job " + id + " is " + job.dump());
        for (const auto& [path, sum] : found->files) {
            require(expected.emplace(std::filesystem::path(path).filename().string(), sum).second, "twice: " + path);
        }
    }

    static void require(bool kept, const std::string& otherwise) {
        if (!kept) {
            throw broken(otherwise);
        }
    }

    void show() const {
        if (::isatty(STDERR_FILENO) != 0) {
            const int cells = 40 * counts_.kills / settings_.kills;
            std::fprintf(stderr, "\r[%s%s] %d of %d kills, %zu jobs offered ", std::string(cells, '#').c_str(),
                         std::string(40 - cells, '.').c_str(), counts_.kills, settings_.kills, offers_.size());
            std::fputs(counts_.kills == settings_.kills ? "\n" : "", stderr);
        } else if (counts_.kills % 25 == 0) {
            std::fprintf(stderr, "%d of %d kills\n", counts_.kills, settings_.kills);
        }
    }

    settings settings_;
    waybill::testing::seeded_random random_;
    command waybill_;
    receiver server_;
    std::vector<offer> offers_;
    counts counts_;
};

}  // namespace

int main(int argc, char** argv) {
    settings s;
    CLI::App app("Kills waybill at random moments and looks whether anything is lost.");
    app.add_option("--via", s.via, "Protocol")->check(CLI::IsMember({"put", "multipart"}))->capture_default_str();
    app.add_option("--kills", s.kills, "How often")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--seed", s.seed, "Of the random moments and files; another one each time if not given");
    app.add_option("--rate", s.rate, "What the receiver takes, in bytes per second")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    std::cout << s.via << ", seed " << s.seed << ": " << std::flush;
    try {
        const counts c = campaign(s).run();
        std::cout << c.kills << " kills of run, " << c.in_transfer << " of them in mid-transfer; " << c.adds_killed
                  << " kills of add, " << c.adds_accepted << " of them after acceptance; " << c.jobs << " jobs, "
                  << c.files << " files, " << c.bytes << " bytes arrived; lost 0, corrupt 0, extra 0" << std::endl;
        return 0;
    } catch (const std::exception& e) {
        std::cout << "BROKEN: " << e.what() << std::endl;
        return 1;
    }
}
