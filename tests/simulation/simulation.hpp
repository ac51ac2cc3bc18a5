// SPDX-License-Identifier: BSL-1.0
#pragma once

// One life of an app, from one seed: jobs are accepted, the network breaks, files change, the disk
// fills, the clock jumps, the process dies at any turn of its loop and starts again. Then
// everything heals, and everything must come to rest.
//
// A crash between a commit's write and its acknowledgement leaves it done; one turn earlier it
// leaves it undone: both outcomes of a sync that was interrupted are met.

#include <waybill/testing/manual_clock.hpp>
#include <waybill/testing/memory_store.hpp>

#include "simulation/checker.hpp"
#include "simulation/plants.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

namespace waybill::simulation {

struct settings {
    std::uint64_t seed = 1;
    plant planted = plant::none;
    std::optional<way> only;  ///< all jobs go this way
    bool verbose = false;
};

/// What a simulation, or many, went through.
struct counts {
    std::uint64_t turns = 0;
    std::uint64_t jobs = 0;
    std::uint64_t completed = 0;
    std::uint64_t crashes = 0;
    std::uint64_t commits = 0;
    std::uint64_t trace = 0;  ///< the same seed has the same

    void add(const counts& more) {
        turns += more.turns;
        jobs += more.jobs;
        completed += more.completed;
        crashes += more.crashes;
        commits += more.commits;
        trace ^= more.trace;
    }
};

class process;

class simulation {
public:
    explicit simulation(const settings& how);
    simulation(const simulation&) = delete;
    simulation& operator=(const simulation&) = delete;
    ~simulation();

    /// Throws `broken` when a promise is.
    counts run();

private:
    friend class process;

    void chaos();
    void go_without_a_host();
    void heal();
    void rest(const std::string& when);
    bool turn();
    void check();
    void tell_changes();

    void start();
    void migrate();
    void crash();
    void end_process();
    void ask_to_stop();
    void stop_cleanly();
    void go_on();
    void spoil_disk();
    void fail_untried();

    void act();
    void offer(std::size_t how_many);
    void offer_again(posted_job& job);
    void cancel(posted_job& job);
    void retry(posted_job& job);
    void resolve(posted_job& job, resolution what);
    void pause_or_resume(posted_job& job);
    void resume(posted_job& job);
    void resume_all();
    void require_timely_ends_of_pauses();
    void lose_pauses();
    void hold_or_release();
    void release(const selection& which);
    void end_holds();
    void lose_holds();
    void pass_time();
    void change_file(posted_job& job);
    void replace_file(const std::string& path);
    void reach_everything();
    void jump();
    void make_job(const std::string& batch);
    void choose_way(posted_job& made);
    void forget_everything();
    [[nodiscard]] job built(const posted_job& from) const;
    [[nodiscard]] posted_job& any_job();
    [[nodiscard]] std::optional<status> stored(const std::string& id) const;
    [[nodiscard]] std::string random_content();
    [[nodiscard]] int patience();
    void say(const std::string& what) const;

    settings how_;
    testing::seeded_random random_;
    testing::seeded_random patience_;       // of its own: who is impatient takes no other course
    testing::seeded_random updates_;        // and so is this
    testing::seeded_random pauses_;         // and this
    testing::seeded_random holds_;          // and this
    std::map<selection, int> holds_asked_;  // and their ends
    std::map<std::string, posted_job> jobs_;
    file_history files_;
    std::set<std::string> unreachable_;  // files whose disk is not there now
    std::shared_ptr<testing::memory_disk> disk_ = std::make_shared<testing::memory_disk>();
    std::shared_ptr<testing::manual_clock> clock_ = std::make_shared<testing::manual_clock>();
    server_model server_{jobs_, files_, *disk_, *clock_, random_};
    checker checker_;
    std::deque<testing::memory_disk> history_;  // only for the bug that loses commits
    std::unique_ptr<process> process_;
    int full_writes_ = 0;
    int format_ = 1;  // the newest version of the format that the app's library knows
    std::chrono::hours max_age_{24 * 7};
    std::chrono::hours jumped_{0};
    std::error_code open_failure_;  // what a failing open gave last
    std::optional<std::chrono::steady_clock::time_point> stop_asked_;
    bool stopped_ = false;
    std::uint64_t seen_commits_ = 0;
    std::map<job_seq, std::string> told_;  // of each job, last
    counts counts_;
};

}  // namespace waybill::simulation
