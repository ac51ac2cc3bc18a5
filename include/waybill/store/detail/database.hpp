// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/platform/space_reserve.hpp>
#include <waybill/store/detail/format.hpp>
#include <waybill/store/detail/rule_format.hpp>
#include <waybill/store/detail/store_file.hpp>
#include <waybill/store/store.hpp>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace waybill::detail {

/// One change among those that are committed together.
struct database_change {
    std::function<void()> apply;
    std::function<void(std::exception_ptr)> settled;
    std::exception_ptr outcome;
    bool adds = false;  ///< accepts something new: on a full disk it is rejected first
};

/// The store's SQL, blocking and on one thread: one connection, opened exclusively.
///
/// WAL with `synchronous=FULL`: anything less loses acknowledged commits at a power cut. Exactly
/// one connection: SQLite before 3.51.3 can damage a WAL database that has two.
class database {
public:
    /// Opens, and creates or migrates if needed. Throws `waybill::error`.
    ///
    /// @param formats the versions that are known, oldest first: the library's own, or those that a test plants.
    explicit database(const store_options& options, std::span<const store_format> formats = store_formats);

    database(const database&) = delete;
    database& operator=(const database&) = delete;
    ~database() = default;

    [[nodiscard]] store_contents contents();

    /// Stored with the next change, if a minute has passed since it was last stored, and by `write_back`.
    void note_time(const store_time& now) noexcept { time_ = now; }

    /// Runs `changes` in one transaction that is synced once, and sets each one's `outcome`. Each change succeeds or
    /// fails alone, without affecting the others, unless the whole transaction fails: that failure is returned, too.
    std::exception_ptr transact(std::vector<database_change>& changes) noexcept;

    // To be called within a change.
    [[nodiscard]] std::vector<added_job> add(const std::vector<new_job>& jobs);
    void apply(const job_change& change);
    [[nodiscard]] totals quarantine(job_seq seq);
    void put_hold(const hold& what);
    void remove_hold(const selection& which);
    void put_limit(const bandwidth_limit& what);
    void remove_limit(const limit_scope& what);
    void insert_leftover(const leftover& what);
    void postpone(const leftover& what);
    void remove_leftover(std::int64_t id);
    removed_job remove(job_seq seq);
    [[nodiscard]] std::vector<removed_job> remove_finished(std::chrono::milliseconds before, unix_millis now);

    [[nodiscard]] std::optional<loaded_job> load(job_seq seq);
    [[nodiscard]] std::optional<leftover> next_leftover();
    [[nodiscard]] std::optional<job_seq> find(const job_id& id);
    [[nodiscard]] std::vector<queued_job> lane(const std::string& name, const std::string& origin, job_seq after,
                                               std::size_t most);
    [[nodiscard]] std::vector<loaded_job> list(listing which, const std::optional<job_record>& after, std::size_t most);

    /// Brings the WAL into the main file. Throws `errc::store_failed` when that file cannot be found any more.
    void write_back();

    /// False when the disk is so full that nothing new may be accepted.
    bool take_reserve() noexcept { return reserve_ && reserve_->take(); }
    /// The disk is full: releases the reserve, and lets the WAL restart in the space it has.
    void make_room() noexcept;

private:
    void open(const store_options& options);
    void configure();
    void create();
    [[nodiscard]] bool is_empty();
    void check_version();
    void write_back_on_close(bool does);
    void require_in_place(bool with_wal) const;
    [[nodiscard]] int user_version();
    void migrate();
    void migrate_to(const store_format& next);
    void check_schema(std::span<const std::string_view> schema);
    void quick_check();
    void recover_interrupted();
    [[nodiscard]] std::vector<queued_job> lane_heads();
    [[nodiscard]] totals read_totals();
    [[nodiscard]] totals count_rows();
    [[nodiscard]] std::int64_t read_last_seq();
    void write_totals();
    [[nodiscard]] store_time read_time();
    void read_rules(store_contents& into);
    void mend_rules();
    void put_rule(const rule_key& key, const std::string& value);
    void remove_rule(const rule_key& key);
    void write_time(std::chrono::milliseconds least);
    void run_alone(database_change& one);

    [[nodiscard]] bool insert(const new_job& job, job_seq seq);
    void insert_item(job_seq seq, std::size_t index, const item_record& item);
    void update_state(job_seq seq, const job_state& state);
    void change_status(const job_change& change);
    [[nodiscard]] bool update_within_status(job_seq seq, const job_state& state);
    void repin(const job_change& change);
    void erase(job_seq seq);
    void keep_leftovers(job_seq seq, unix_millis now);
    void move_total(status from, status to, std::uint64_t bytes);
    [[nodiscard]] std::optional<job_record> read_sound(job_seq seq);
    [[nodiscard]] loaded_job read_whole(SQLite::Statement& row, bool with_payload);
    void read_checkpoints(loaded_job& of);
    [[nodiscard]] std::uint64_t size_of(job_seq seq, status expected);

    /// A statement kept prepared; reset when the returned guard is destroyed.
    class use {
    public:
        explicit use(SQLite::Statement& statement) : statement_(statement) {}
        use(const use&) = delete;
        use& operator=(const use&) = delete;
        ~use() { static_cast<void>(statement_.tryReset()); }
        SQLite::Statement& operator*() const noexcept { return statement_; }
        SQLite::Statement* operator->() const noexcept { return &statement_; }

    private:
        SQLite::Statement& statement_;
    };
    [[nodiscard]] use sql(std::string_view text);

    /// Statements that name all columns. Not in statics, because a static uploader is destroyed after statics that its
    /// first jobs have created.
    struct texts {
        texts();
        std::string job;
        std::string interrupted;
        std::string items;
        std::string checkpoints;
        std::string leftovers;
        std::string rules;
        std::string all;
        std::string open;
        std::string parked;
        std::string finished;
    };

    std::span<const store_format> formats_;
    std::unique_ptr<store_file> file_;
    std::optional<space_reserve> reserve_;
    const texts texts_;
    std::string moved_aside_;
    std::unique_ptr<SQLite::Database> db_;  // before the statements: it must outlive them
    std::unordered_map<std::string_view, std::unique_ptr<SQLite::Statement>> statements_;
    std::int64_t last_seq_ = 0;
    totals totals_;          // as committed
    totals pending_totals_;  // as the running transaction will leave them
    store_time time_;
    store_time kept_time_;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/store/detail/database.ipp>
#include <waybill/store/detail/database_open.ipp>
#include <waybill/store/detail/database_read.ipp>
#include <waybill/store/detail/database_remove.ipp>
#include <waybill/store/detail/database_rules.ipp>
#include <waybill/store/detail/database_write.ipp>
#endif
