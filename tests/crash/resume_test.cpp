// SPDX-License-Identifier: BSL-1.0
//
// Resumption, tried on the real command: `waybill run` is killed at random moments while it sends
// 64 MiB by tus, a resumable upload or S3, as one file or as a form of 20. All of it must arrive, byte
// by byte, and no more may be sent twice than was under way.
//
//   resume_test [--via tus|resumable|s3] [--form] [--kills N] [--seed S]

#include <waybill/testing/seeded_random.hpp>

#include "cli/command.hpp"
#include "crash/destinations.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace waybill::test;
using std::chrono::milliseconds;

namespace {

struct settings {
    std::string via = "resumable";
    bool form = false;
    int kills = 200;
    std::uint64_t seed = std::random_device()();
};

constexpr std::size_t total = 64 << 20;

void require(bool kept, const std::string& otherwise) {
    if (!kept) {
        throw std::runtime_error(otherwise);
    }
}

class campaign {
public:
    explicit campaign(const settings& s) : settings_(s), random_(s.seed) {
        if (s.via == "tus") {
            server_ = std::make_unique<tus_destination>();
        } else if (s.via == "s3") {
            server_ = std::make_unique<s3_destination>();
        } else {
            server_ = std::make_unique<resumable_destination>();
        }
    }

    void run() {
        int in_transfer = 0;
        for (int kills = 0; kills < settings_.kills; ++kills) {
            if (server_->count_arrived() == contents_.size()) {
                add();
            }
            in_transfer += run_and_kill() ? 1 : 0;
        }
        server_->hurry();
        const finished_process done =
            run_process(waybill_.line({"run", "--until-idle", "--progress", "none"}), std::chrono::minutes(5));
        check();
        require(done.status.code == 0, "the last run ended with " + std::to_string(done.status.code) + ": " + done.err);
        require(in_transfer * 2 > settings_.kills, "too few kills hit a transfer: this proves nothing");
        std::cout << settings_.kills << " kills, " << in_transfer << " of them in mid-transfer; " << contents_.size()
                  << " uploads, " << size_ << " bytes arrived, " << sent_
                  << " were sent, headers included: " << (sent_ - size_) / static_cast<std::uint64_t>(settings_.kills)
                  << " more for each kill; lost 0, corrupt 0" << std::endl;
    }

private:
    void add() {
        const std::size_t count = settings_.form ? 20 : 1;
        std::vector<std::string> arguments = {"--to", server_->url(), "--via", settings_.via};
        const std::vector<std::string> more = server_->arguments();
        arguments.insert(arguments.end(), more.begin(), more.end());
        if (settings_.form) {
            arguments.insert(arguments.end(), {"--set", "form=1", "--field", "caption=Istanbul"});
        }
        std::vector<std::string> parts;
        for (std::size_t i = 0; i < count; ++i) {
            parts.push_back(random_bytes(total / count, random_.next()));
            arguments.push_back(
                waybill_.dir().write("f" + std::to_string(contents_.size()) + "-" + std::to_string(i), parts.back()));
        }
        waybill_.add(arguments);
        contents_.push_back(std::move(parts));
    }

    /// True when bytes of this run had arrived.
    bool run_and_kill() {
        const std::uint64_t before = server_->bytes_taken();
        process running = waybill_.start({"run", "--progress", "none"}, waybill_.dir() / "run.out");
        const auto lives = [&](milliseconds time) {
            require(!running.wait(time), "run ended by itself: " + running.words());
        };
        // Most moments are in the middle of a transfer, some while the store is opened or the server asked.
        const bool early = random_.chance(0.1);
        for (int waits = 0; !early && server_->bytes_taken() == before && waits < 2000; ++waits) {
            lives(milliseconds(5));
        }
        lives(milliseconds(random_.below(early ? 60 : 300)));
        const bool moved = server_->bytes_taken() > before;
        running.kill(SIGKILL);
        running.wait(std::chrono::seconds(30));
        return moved;
    }

    void check() {
        for (const nlohmann::json& job : waybill_.list()) {
            require(job["state"] == "completed", "a job is " + job.dump());
        }
        const std::vector<std::string> arrived = server_->arrived();
        require(arrived.size() == contents_.size(),
                std::to_string(contents_.size()) + " accepted, " + std::to_string(arrived.size()) + " arrived");
        for (std::size_t i = 0; i < arrived.size(); ++i) {
            size_ += arrived[i].size();
            std::size_t at = 0;
            for (const std::string& part : contents_[i]) {
                at = arrived[i].find(part, at);
                require(at != std::string::npos, "corrupt: upload " + std::to_string(i));
                at += part.size();
            }
            require(settings_.form || arrived[i].size() == total, "extra bytes in upload " + std::to_string(i));
        }
        const std::vector<std::string> violations = server_->violations();
        require(violations.empty(), "the protocol was violated: " + (violations.empty() ? "" : violations.front()));
        sent_ = server_->http().log().wait_for_all_bytes();
        require(sent_ <= size_ + static_cast<std::uint64_t>(settings_.kills) * server_->interval(),
                std::to_string(sent_) + " bytes were sent for " + std::to_string(size_));
    }

    settings settings_;
    waybill::testing::seeded_random random_;
    command waybill_;
    std::unique_ptr<destination> server_;
    std::vector<std::vector<std::string>> contents_;  // of each job, its files
    std::uint64_t size_ = 0;
    std::uint64_t sent_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    settings s;
    CLI::App app("Kills waybill in the middle of resumable uploads and looks what was sent twice.");
    app.add_option("--via", s.via, "The protocol")
        ->check(CLI::IsMember({"tus", "resumable", "s3"}))
        ->capture_default_str();
    app.add_flag("--form", s.form, "A form of 20 files instead of one file (resumable)");
    app.add_option("--kills", s.kills, "How often")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--seed", s.seed, "Of the random moments and files; another one each time if not given");
    CLI11_PARSE(app, argc, argv);
    s.form = s.form && s.via == "resumable";
    std::cout << s.via << ", " << (s.form ? "form" : "file") << ", seed " << s.seed << ": " << std::flush;
    try {
        campaign(s).run();
        return 0;
    } catch (const std::exception& e) {
        std::cout << "BROKEN: " << e.what() << std::endl;
        return 1;
    }
}
