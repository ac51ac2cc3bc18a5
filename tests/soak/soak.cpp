// SPDX-License-Identifier: BSL-1.0
//
//   soak --jobs 1000000            a queue of steady length, for as many jobs as you like
//
// What an uploader uses must not grow with what it has delivered: memory, descriptors, threads, the store and its WAL
// are measured as it goes, and the last measures are compared with those after the first fifth.

#include <waybill/waybill.hpp>

#include "soak/server.hpp"

#include <CLI/CLI.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <malloc.h>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace waybill::soak {
namespace {

struct measure {
    std::uint64_t jobs = 0;
    double seconds = 0;
    std::uint64_t memory = 0;  ///< resident, KiB
    std::uint64_t descriptors = 0;
    std::uint64_t threads = 0;
    std::uint64_t store = 0;  ///< KiB
    std::uint64_t wal = 0;    ///< KiB
};

std::uint64_t entries(const char* folder) {
    return static_cast<std::uint64_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

std::uint64_t kib_of(const std::string& file) {
    std::error_code missing;
    const auto size = std::filesystem::file_size(file, missing);
    return missing ? 0 : size / 1024;
}

std::uint64_t resident_kib() {
    ::malloc_trim(0);  // what was freed is not in use
    std::ifstream status("/proc/self/statm");
    std::uint64_t all = 0;
    std::uint64_t resident = 0;
    status >> all >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

class soak {
public:
    soak(std::string folder, std::uint64_t jobs, std::uint64_t queue, std::uint64_t hosts, std::uint16_t port)
        : folder_(std::move(folder)), most_(jobs), queue_(queue), hosts_(hosts), port_(port),
          up_(context_.get_executor(), how(folder_)) {
        for (int i = 0; i < 8; ++i) {
            std::ofstream(file(i)) << std::string(500U << i, 'x');
        }
    }

    /// True when nothing has grown.
    bool run() {
        begun_ = std::chrono::steady_clock::now();
        std::cout << "     jobs  seconds  memory KiB  descriptors  threads  store KiB  WAL KiB" << std::endl;
        up_.async_run(asio::detached);
        asio::co_spawn(context_, watch(), asio::detached);
        for (std::uint64_t i = 0; i < queue_; ++i) {
            asio::co_spawn(context_, enqueue_and_wait(), asio::detached);
        }
        context_.run();
        return is_flat();
    }

private:
    static options how(const std::string& folder) {
        options made;
        made.store.path = folder + "/store/soak.db";
        made.max_concurrent_jobs = 8;
        made.snapshot_jobs = 200;  // fewer than there are: it is full all the time
        made.retry.base = std::chrono::milliseconds(2);
        made.retry.floor = std::chrono::milliseconds(1);
        made.retry.cap = std::chrono::milliseconds(50);
        made.retry.offline_poll = std::chrono::milliseconds(5);
        made.retry.host_pause = std::chrono::milliseconds(5);
        made.retry.host_pause_cap = std::chrono::milliseconds(50);
        made.verifiers["backend"] = [](const job_snapshot&) -> asio::awaitable<verification> {
            co_return verification::delivered;
        };
        return made;
    }

    [[nodiscard]] std::string file(std::uint64_t i) const { return folder_ + "/file" + std::to_string(i % 8); }

    [[nodiscard]] job made(std::uint64_t i) const {
        const std::string host =
            "127.0." + std::to_string(i % hosts_ / 250) + "." + std::to_string(1 + i % 250 % hosts_);
        job j("http://" + host + ":" + std::to_string(port_) + "/" + std::to_string(i));
        j.id(job_id("job-" + std::to_string(i)));
        j.lane(i % 3 == 0 ? "lane-" + std::to_string(i)
                          : "lane-" + std::to_string(i % 16));  // many names, few at a time
        switch (i % 4) {
            case 0: j.file(file(i)); break;
            case 1: j.bytes("note.txt", "note " + std::to_string(i)); break;
            case 2: j.via(multipart{}).if_unknown(on_unknown::retry_same_key).file(file(i)).field("n", "1"); break;
            default: j.via(multipart{}).verify_with("backend").bytes("note.txt", "n").file(file(i + 1)); break;
        }
        return j;
    }

    /// One place in the queue: a job after the other.
    asio::awaitable<void> enqueue_and_wait() {
        while (next_ < most_) {
            const std::uint64_t i = next_++;
            job one = made(i);
            const job_id id = co_await up_.async_enqueue(std::move(one));
            if (i % 50 == 0) {
                job again = made(i);
                co_await up_.async_enqueue(std::move(again));
            }
            if (i % 40 == 0) {
                try {
                    co_await up_.async_cancel(id);
                } catch (const error&) {
                    // It was faster.
                }
            }
            const job_snapshot ended = co_await up_.async_wait_final(id);
            ended_[static_cast<std::size_t>(ended.status)] += 1;
            co_await up_.async_remove(id);
            count();
        }
        if (++resting_ == queue_) {
            co_await up_.async_stop();
        }
    }

    asio::awaitable<void> watch() {
        feed snapshots = up_.snapshots();
        while (auto now = co_await snapshots.async_next()) {
            seen_ += now->jobs().size();
        }
    }

    void count() {
        ++done_;
        if (done_ % std::max<std::uint64_t>(most_ / 20, 1) != 0) {
            return;
        }
        measure now;
        now.jobs = done_;
        now.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
        now.memory = resident_kib();
        now.descriptors = entries("/proc/self/fd");
        now.threads = entries("/proc/self/task");
        now.store = kib_of(folder_ + "/store/soak.db");
        now.wal = kib_of(folder_ + "/store/soak.db-wal");
        measures_.push_back(now);
        std::cout << std::setw(9) << now.jobs << std::setw(9) << std::fixed << std::setprecision(1) << now.seconds
                  << std::setw(12) << now.memory << std::setw(13) << now.descriptors << std::setw(9) << now.threads
                  << std::setw(11) << now.store << std::setw(9) << now.wal << std::endl;
    }

    [[nodiscard]] bool is_flat() const {
        std::cout << ended_[static_cast<std::size_t>(status::completed)] << " completed, "
                  << ended_[static_cast<std::size_t>(status::failed)] << " failed, "
                  << ended_[static_cast<std::size_t>(status::canceled)] << " canceled; " << seen_ << " snapshots seen"
                  << std::endl;
        if (done_ != most_ || measures_.size() < 10) {
            std::cout << "only " << done_ << " of " << most_ << " jobs were counted" << std::endl;
            return false;
        }
        bool flat = true;
        const std::size_t fifth = measures_.size() / 5;
        // The most in the first fifth, and the least at the end: what grows is above it all the time.
        const auto compare = [&](const char* what, std::uint64_t measure::*member, std::uint64_t allowed) {
            std::uint64_t before = 0;
            for (std::size_t i = 0; i <= fifth; ++i) {
                before = std::max(before, measures_[i].*member);
            }
            std::uint64_t after = measures_.back().*member;
            for (std::size_t i = measures_.size() - fifth; i < measures_.size(); ++i) {
                after = std::min(after, measures_[i].*member);
            }
            if (after > before + allowed) {
                std::cout << what << " grew from " << before << " to " << after << std::endl;
                flat = false;
            }
        };
#if !defined(__SANITIZE_ADDRESS__)  // which keeps what was freed
        compare("memory (KiB)", &measure::memory, 3 * 1024);
#endif
        compare("descriptors", &measure::descriptors, 8);
        compare("threads", &measure::threads, 2);
        compare("the store (KiB)", &measure::store, 1024);
        compare("the WAL (KiB)", &measure::wal, 8 * 1024);
        std::cout << (flat ? "flat" : "NOT flat") << std::endl;
        return flat;
    }

    std::string folder_;
    std::uint64_t most_;
    std::uint64_t queue_;
    std::uint64_t hosts_;
    std::uint16_t port_;
    std::uint64_t next_ = 0;
    std::uint64_t done_ = 0;
    std::uint64_t resting_ = 0;
    std::uint64_t seen_ = 0;
    std::uint64_t ended_[status_count] = {};
    std::vector<measure> measures_;
    std::chrono::steady_clock::time_point begun_;
    asio::io_context context_{1};
    uploader up_;
};

}  // namespace
}  // namespace waybill::soak

int main(int argc, char** argv) {
    std::uint64_t jobs = 20'000;
    std::uint64_t queue = 300;
    std::uint64_t hosts = 20;
    std::uint64_t seed = 1;
    std::string folder;
    CLI::App app("Delivers many jobs and fails when what it uses grows");
    app.add_option("--jobs", jobs, "how many")->check(CLI::PositiveNumber);
    app.add_option("--queue", queue, "how many of them at a time")->check(CLI::PositiveNumber);
    app.add_option("--hosts", hosts, "how many servers there seem to be")->check(CLI::Range(1, 60'000));
    app.add_option("--seed", seed, "what the server refuses");
    app.add_option("--in", folder, "an empty folder; default: one below the system's temporary folder");
    CLI11_PARSE(app, argc, argv);
    const bool own = folder.empty();
    if (own) {
        std::string pattern = (std::filesystem::temp_directory_path() / "waybill-soak-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            return 2;
        }
        folder = pattern;
    }
    bool flat = false;
    {
        const waybill::soak::server there(seed);
        flat = waybill::soak::soak(folder, jobs, queue, hosts, there.port()).run();
    }
    if (own) {
        std::filesystem::remove_all(folder);
    }
    return flat ? 0 : 1;
}
