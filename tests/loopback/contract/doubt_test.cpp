// SPDX-License-Identifier: BSL-1.0
#include "loopback/contract/contract.hpp"
#include "support/sample_store.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

// The contract of protocols: a request that may have arrived is never sent again blindly.
namespace waybill::test {
namespace {

constexpr std::size_t size = 6 << 20;  // by S3 two parts

/// Delivers an item whose last answer is lost, and goes on with it by another process. `between`: what happens in the
/// time when no process has the store.
job_snapshot deliver_after_lost_answer(contract_scene& s, const std::string& content,
                                       const std::function<void()>& between) {
    s.server().lose_answer();
    job_id id;
    {
        delivery uploads(s.patient());
        id = uploads.enqueue(s.job_of({content}));
        const job_snapshot left = uploads.waiting(id);
        INFO(describe(left));
        REQUIRE(left.status == (s.can().lost == after_lost_answer::parks ? status::unknown_outcome : status::waiting));
        s.require_arrived({content});
    }
    between();
    return next_process(s.quick(), id)->settled(id);
}

/// Puts in place of each checkpoint of the only job one that no version of a protocol has written.
void spoil_checkpoints(const std::string& path) {
    sample_store store(path);
    store.open();
    const auto seq = static_cast<job_seq>(1);
    const std::optional<loaded_job> whole = store.load(seq);
    REQUIRE(whole.has_value());
    job_change change = step(store, seq, whole->job.state.status);
    change.checkpoints = whole->checkpoints;
    if (change.checkpoints.empty()) {
        change.checkpoints.push_back({0, "", 0, "", 0});
    }
    for (checkpoint& c : change.checkpoints) {
        c.state = "\xFF of another version";
    }
    store.commit(change);
    store.close();
}

}  // namespace

TEST_CASE("of a request whose answer was lost a protocol finds out what became of it, repeats it or says unknown") {
    const auto p = GENERATE(from_range(protocols_under_contract()));
    const bool restarts = GENERATE(false, true);
    CAPTURE(p.name, restarts);
    contract_scene s(p);
    const std::string content = random_bytes(size);
    job_snapshot end;
    if (restarts) {
        end = deliver_after_lost_answer(s, content, [] {});
    } else {
        s.server().lose_answer();
        delivery uploads(s.quick());
        end = uploads.settled(uploads.enqueue(s.job_of({content})));
    }
    INFO(describe(end));
    INFO(describe(s.server().http().requests()));
    s.require_arrived({content});  // once, whatever was sent
    CHECK(s.server().unfinished() == 0);
    CHECK(s.server().http().scripts_left() == 0);
    const std::uint64_t times = s.can().lost == after_lost_answer::repeats ? 2 : 1;
    CHECK(s.bytes_taken() >= times * size);
    CHECK(s.bytes_taken() <= times * size + s.overhead());
    const bool knows = s.can().lost != after_lost_answer::parks;
    CHECK(end.status == (knows ? status::completed : status::unknown_outcome));
}

TEST_CASE("a page that answers one request in the server's place is not taken for the server's word") {
    const auto p = GENERATE(from_range(protocols_under_contract()));
    const int which = GENERATE(1, 2, 3, 4, 5);
    CAPTURE(p.name, which);
    contract_scene s(p);
    const std::string content = random_bytes(size);
    const auto request = std::make_shared<std::atomic<int>>(0);
    const reply page(200, {{"Content-Type", "text/html"}}, "<html>Log in</html>");
    script instead("login page");
    instead.only_if([request, which](const received_request&) { return ++*request == which; });
    s.server().http().next(instead.read_all().answer(page));
    options how = s.quick();
    how.retry.host_pause = how.retry.host_pause_cap = std::chrono::milliseconds(20);
    delivery uploads(how);
    const job_snapshot end = uploads.settled(uploads.enqueue(s.job_of({content})));
    INFO(describe(end));
    INFO(describe(s.server().http().requests()));
    if (s.can().lost != after_lost_answer::asks) {
        CHECK(end.status == status::completed);  // a success is all that its server ever says
    } else if (which > 1 || !s.can().negotiates) {
        CHECK(end.status == status::completed);
        s.require_arrived({content});
    }
}

TEST_CASE("a checkpoint that cannot be decoded does not make a protocol send again what may have arrived") {
    const auto p = GENERATE(from_range(protocols_under_contract()));
    CAPTURE(p.name);
    contract_scene s(p);
    const std::string content = random_bytes(size);
    std::uint64_t taken = 0;
    const job_snapshot end = deliver_after_lost_answer(s, content, [&] {
        taken = s.bytes_taken();
        spoil_checkpoints(s.store_path());
    });
    INFO(describe(end));
    INFO(describe(s.server().http().requests()));
    if (s.can().lost == after_lost_answer::repeats) {  // it needs no checkpoint
        CHECK(end.status == status::completed);
        s.require_arrived({content});
        return;
    }
    CHECK(s.bytes_taken() == taken);
    s.require_arrived({content});
    const bool asked = s.can().lost == after_lost_answer::asks && end.status == status::completed;
    CHECK((asked || end.status == status::unknown_outcome));
}

}  // namespace waybill::test
