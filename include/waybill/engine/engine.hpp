// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/clock.hpp>
#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/condition.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/engine/accept/acceptance.hpp>
#include <waybill/engine/awaited_ends.hpp>
#include <waybill/engine/engine_parts.hpp>
#include <waybill/engine/ledger.hpp>
#include <waybill/engine/lifecycle.hpp>
#include <waybill/engine/queue/due_jobs.hpp>
#include <waybill/engine/queue/held_job.hpp>
#include <waybill/engine/queue/host_health.hpp>
#include <waybill/engine/queue/scheduler.hpp>
#include <waybill/engine/run/outcome.hpp>
#include <waybill/engine/run/run_environment.hpp>
#include <waybill/engine/run/runner.hpp>
#include <waybill/engine/show/board.hpp>
#include <waybill/engine/show/observer_hub.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/pause_options.hpp>
#include <waybill/options.hpp>
#include <waybill/platform/home_process.hpp>
#include <waybill/protocol/registry.hpp>
#include <waybill/random.hpp>
#include <waybill/source/source_opener.hpp>
#include <waybill/store/store.hpp>
#include <waybill/transport/transport.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace waybill::detail {

class cleaner;

/// Accepts jobs, runs their pipelines, commits the results, and only then shows them.
///
/// @par Thread safety
///   On the uploader's strand; `hub().latest()` from any thread.
class engine final : public std::enable_shared_from_this<engine>, private run_observer {
public:
    engine(strand home, engine_parts parts, options options);

    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() override;

    /// Opens the store, once for all callers: if a caller is canceled, the opening continues for the others. Every
    /// function below does this by itself.
    asio::awaitable<void> open();
    /// Delivers jobs until `stop`, until canceled, or until the store fails for good.
    asio::awaitable<void> run();
    /// Interrupts all transfers, brings everything to disk, ends all feeds. Not cancellable.
    asio::awaitable<void> stop();

    asio::awaitable<std::vector<job_id>> enqueue(std::vector<job> jobs);
    asio::awaitable<void> cancel(job_id id);
    asio::awaitable<void> retry(job_id id);
    asio::awaitable<void> resolve(job_id id, resolution what);
    asio::awaitable<void> remove(job_id id);
    asio::awaitable<void> pause_job(job_id id, pause_options how);
    asio::awaitable<void> resume_job(job_id id);
    /// Waits until it is settled, or final with `until_final`.
    asio::awaitable<job_snapshot> wait(job_id id, bool until_final);
    asio::awaitable<job_snapshot> find(job_id id);
    asio::awaitable<std::vector<job_snapshot>> list(std::optional<job_seq> after, std::size_t most);

    [[nodiscard]] observer_hub& hub() noexcept { return hub_; }
    [[nodiscard]] const strand& home() const noexcept { return home_; }
    /// In a forked child it must not be touched.
    [[nodiscard]] bool is_inherited() const noexcept { return process_.left(); }

private:
    static constexpr std::chrono::hours purge_interval{1};

    using need = lifecycle::need;
    using phase = lifecycle::phase;

    static asio::awaitable<void> open_store(std::shared_ptr<engine> self);
    asio::awaitable<void> read_store(bool again);

    // Delivering.
    asio::awaitable<void> open_to_run();
    asio::awaitable<std::exception_ptr> deliver_until_it_ends();
    asio::awaitable<void> deliver();
    asio::awaitable<void> quiesce();
    [[nodiscard]] bool lose_store(const std::exception_ptr& thrown);
    asio::awaitable<std::exception_ptr> reopen();
    asio::awaitable<void> refill_lanes();
    asio::awaitable<void> flush_running();
    asio::awaitable<void> find_pauses();
    asio::awaitable<void> resume_due();
    void note_pause(job_seq seq, const job_state& state);
    [[nodiscard]] std::shared_ptr<runner> find_run(job_seq seq) const;
    void start(job_seq seq);
    void ended(job_seq seq, const std::exception_ptr& thrown);
    void interrupt(job_seq seq, runner::wish why);
    asio::awaitable<void> interrupt_all();
    asio::awaitable<void> quarantine_if_possible(loaded_job whole);

    // What runs query and report.
    [[nodiscard]] bool delivers() const noexcept override { return life_.is_open(); }
    [[nodiscard]] store_time lived() const override;
    void on_committed(const job_snapshot& now) override;
    void on_leftover() override;
    void on_placed(const job_record& job) override;
    asio::awaitable<void> quarantine(loaded_job whole) override;

    // Changing.
    asio::awaitable<job_seq> require(job_id id);
    asio::awaitable<loaded_job> load(job_seq seq);
    asio::awaitable<loaded_job> load_sound(job_seq seq);
    asio::awaitable<void> change(loaded_job whole, job_change next);
    asio::awaitable<std::vector<added_job>> add(const std::vector<job>& jobs,
                                                std::shared_ptr<std::vector<new_job>>& made);
    asio::awaitable<void> show_known(job_seq seq);
    void place(job_seq seq, const job_spec& spec, const job_state& state);
    void make_known(const loaded_job& accepted);

    // Showing.
    void show(job_snapshot picture, board::place wanted = board::place::spare);
    void publish();
    void publish_soon();
    void observe_running();
    static asio::awaitable<void> fill_board(std::shared_ptr<engine> self);
    asio::awaitable<void> list_everything();
    asio::awaitable<void> purge_old();

    [[nodiscard]] unix_millis now() const;
    [[nodiscard]] job_turn turn_of(const queued_job& job) const;
    [[nodiscard]] outcome decide() const { return {options_.retry, lived(), parts_.random->unit()}; }

    home_process process_;
    strand home_;
    engine_parts parts_;
    options options_;
    observer_hub hub_;
    board board_;
    ledger ledger_;
    scheduler scheduler_;
    host_health hosts_;
    acceptance acceptance_;
    due_jobs due_;               // paused ones that go on by themselves,
    bool pauses_known_ = false;  // as far as the store has been read:
    std::optional<job_record> last_parked_;
    run_environment environment_;
    std::unique_ptr<alarm> alarm_;
    std::unique_ptr<cleaner> cleaner_;
    condition phase_changed_;
    condition run_ended_;
    awaited_ends ends_;
    lifecycle life_;
    std::exception_ptr open_failure_;
    std::exception_ptr fatal_;
    store_time opened_at_;  // the store's own time when it was opened, and
    scheduler::time_point opened_{};
    std::map<job_seq, std::shared_ptr<runner>> running_;
    scheduler::time_point next_look_{};
    scheduler::time_point next_flush_{};
    scheduler::time_point next_purge_{};
    bool publish_scheduled_ = false;
    bool board_incomplete_ = false;
    bool filling_ = false;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/accept/engine_accept.ipp>
#include <waybill/engine/commands.ipp>
#include <waybill/engine/engine.ipp>
#include <waybill/engine/engine_runs.ipp>
#include <waybill/engine/pausing.ipp>
#include <waybill/engine/queue/engine_queue.ipp>
#include <waybill/engine/show/engine_view.ipp>
#endif
