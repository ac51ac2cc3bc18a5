// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using steady = std::chrono::steady_clock;

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;

/// How many bytes of a body the server had received, and when.
class arrivals {
public:
    script read_by_the_clock() {
        return script("by the clock").then([seen = seen_](exchange& x) {
            std::uint64_t sum = 0;
            x.pass_body_to([&](std::string_view bytes) {
                sum += bytes.size();
                const std::lock_guard<std::mutex> lock(seen->mutex);
                seen->all.emplace_back(steady::now(), sum);
            });
            x.read_body();
        });
    }
    [[nodiscard]] std::vector<std::pair<steady::time_point, std::uint64_t>> all() const {
        const std::lock_guard<std::mutex> lock(seen_->mutex);
        return seen_->all;
    }

private:
    struct record {
        std::mutex mutex;
        std::vector<std::pair<steady::time_point, std::uint64_t>> all;
    };
    std::shared_ptr<record> seen_ = std::make_shared<record>();
};

request put_for(const std::string& url, const std::string& job) {
    request what = put_to(url);
    what.job = job;
    return what;
}

request get_from(const std::string& url) {
    request what = put_to(url);
    what.method = "GET";
    return what;
}

asio::awaitable<void> wait_a_moment() {
    asio::steady_timer timer(co_await asio::this_coro::executor, milliseconds(300));
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

TEST_CASE("a limited body arrives at its rate") {
    certificate_authority authority;
    const bool over_tls = GENERATE(false, true);
    http_server_options how;
    if (over_tls) {
        how.tls = authority.issue();
    }
    http_server server(how);
    transport_loop loop(trusting(authority));
    arrivals seen;
    server.next(seen.read_by_the_clock());
    loop.limit(limit_scope::total(), "1M");
    const auto begun = steady::now();
    const std::string body = random_bytes(3 * mib);
    CHECK(loop.perform(put_to(server.url()), body).status == 201);
    CHECK(server.finished(1).sha256 == sha256(body));
    CHECK(steady::now() - begun >= milliseconds(2'800));
    // Never ahead of the rate by more than a tenth of a second's bytes and one call's.
    std::uint64_t ahead = 0;
    for (const auto& [when, bytes] : seen.all()) {
        const std::chrono::duration<double> passed = when - begun;
        const auto allowed = static_cast<std::uint64_t>(passed.count() * double(mib));
        ahead = std::max(ahead, bytes - std::min(bytes, allowed));
    }
    CHECK(ahead <= 150 * kib);
}

TEST_CASE("a transfer that waits for a limit is not stalled") {
    http_server server;
    transport_loop loop;
    loop.limit(limit_scope::total(), "16K");
    request what = put_to(server.url());
    // Shorter than the pauses of the limit, and longer than a machine may delay an acknowledgement.
    what.limits.stall = milliseconds(150);
    sending put = loop.start(what, random_bytes(2 * mib));
    server.wait_for_body(1, 40 * kib);
    CHECK(put.progress().sent < 256 * kib);
    put.cancel();
    CHECK(put.error() == asio::error::operation_aborted);
}

TEST_CASE("a server that stops reading times out under a limit, too") {
    http_server server(reads_little());
    transport_loop loop;
    loop.limit(limit_scope::total(), "100M");
    server.next(script("stall").read_body(100'000).hold());
    request what = put_to(server.url());
    what.limits.stall = milliseconds(300);
    what.limits.response = std::chrono::hours(1);
    CHECK(loop.perform(what, random_bytes(beyond_buffers)).failure == errc::send_stalled);
}

TEST_CASE("a connection that the server closes is noticed while a limit holds the body back") {
    http_server server;
    transport_loop loop;
    const valve go;
    const bool resets = GENERATE(false, true);  // because it has not read everything; otherwise it closes its side
    CAPTURE(resets);
    script closes("closes");
    closes.read_body(1000).hold(go);
    server.next(resets ? closes.close() : closes.linger());
    loop.limit(limit_scope::total(), "64K");
    sending put = loop.start(put_to(server.url()), random_bytes(2 * mib));
    server.wait_for_body(1, 1000);
    SECTION("between two pieces") {}
    SECTION("for as long as nothing may be sent") {
        loop.limit(limit_scope::total(), "stop");
    }
    const auto closed = steady::now();
    go.open();
    const response got = put.get();
    CHECK(got.failure == errc::connection_lost);
    CHECK_FALSE(got.may_have_left);
    CHECK(steady::now() - closed < seconds(5));  // two at most, plus what a busy machine adds
}

TEST_CASE("an early response is received while a limit holds the body back") {
    http_server server;
    transport_loop loop;
    const valve go;
    server.next(script("early 413").read_body(1000).hold(go).answer({413}).linger());
    loop.limit(limit_scope::total(), "64K");
    sending put = loop.start(put_to(server.url()), random_bytes(2 * mib));
    server.wait_for_body(1, 1000);
    SECTION("between two pieces") {}
    SECTION("for as long as nothing may be sent") {
        loop.limit(limit_scope::total(), "stop");
    }
    go.open();
    CHECK(put.get().status == 413);
}

TEST_CASE("the limit does not open the last-byte gate, nor the gate the limit") {
    http_server server;
    transport_loop loop;
    loop.limit(limit_scope::total(), "512K");
    const std::string body = random_bytes(GENERATE(std::size_t(1), 64 * kib, 256 * kib));
    CAPTURE(body.size());
    request what = post_to(server.url());
    int opened = 0;
    std::uint64_t taken = 0;
    what.before_last_byte = [&]() -> asio::awaitable<void> {
        co_await wait_a_moment();
        taken = server.begun(1).body_bytes;
        ++opened;
    };
    CHECK(loop.perform(what, body).status == 200);
    CHECK(opened == 1);
    CHECK(taken == body.size() - 1);
    CHECK(server.finished(1).sha256 == sha256(body));
}

TEST_CASE("a limit that is changed or removed applies immediately to a transfer in progress") {
    http_server server;
    transport_loop loop;
    loop.limit(limit_scope::host("127.0.0.1"), "16K");
    const std::string body = random_bytes(8 * mib);
    sending put = loop.start(put_to(server.url()), body);
    server.wait_for_body(1, 8 * kib);
    CHECK(put.progress().sent < mib);
    loop.limit(limit_scope::host("127.0.0.1"), GENERATE("off", "100M"));
    CHECK(put.get().status == 201);  // it would have taken eight minutes
    CHECK(server.finished(1).sha256 == sha256(body));
}

TEST_CASE("a limit that is set later applies to a transfer in progress") {
    http_server server(reads_little());
    transport_loop loop;
    const valve go;
    server.next(script("waits").read_body(1000).hold(go));
    sending put = loop.start(put_to(server.url()), random_bytes(beyond_buffers));
    server.wait_for_body(1, 1000);
    loop.limit(limit_scope::total(), "stop");
    const std::uint64_t before = put.progress().sent;
    go.open();
    CHECK(loop.perform(get_from(server.url())).status == 200);
    CHECK(put.progress().sent < beyond_buffers);
    CHECK(put.progress().sent >= before);
    loop.limit(limit_scope::total(), "off");
    CHECK(put.get().status == 201);
}

TEST_CASE("while nothing may be sent, a request with a body does not even connect") {
    http_server server;
    transport_loop loop;
    const std::size_t size = GENERATE(std::size_t(1), mib);
    loop.limit(limit_scope::total(), "stop");
    sending put = loop.start(put_to(server.url()), random_bytes(size));
    CHECK(loop.perform(get_from(server.url())).status == 200);
    CHECK(server.requests().size() == 1);
    SECTION("until it may") {
        loop.limit(limit_scope::total(), "10M");
        CHECK(put.get().status == 201);
    }
    SECTION("and can be canceled") {
        put.cancel();
        CHECK(put.error() == asio::error::operation_aborted);
    }
}

TEST_CASE("small bodies are limited as well") {
    http_server server;
    transport_loop loop;
    loop.limit(limit_scope::total(), "256K");
    const auto begun = steady::now();
    std::vector<sending> all;
    for (int i = 0; i < 32; ++i) {
        all.push_back(loop.start(put_for(server.url(), "job " + std::to_string(i % 3)), random_bytes(8 * kib)));
    }
    for (sending& one : all) {
        CHECK(one.get().status == 201);
    }
    CHECK(steady::now() - begun >= milliseconds(850));  // 256 KiB in all
}

TEST_CASE("a job gets its share next to one with many requests") {
    http_server server;
    transport_loop loop;
    loop.limit(limit_scope::lane("pictures"), "1M");
    const auto start = [&](const std::string& path, const std::string& job) {
        request what = put_for(server.url(path), job);
        what.lane = "pictures";
        return loop.start(what, random_bytes(mib));
    };
    std::vector<sending> many;
    for (int i = 0; i < 8; ++i) {
        many.push_back(start("/many", "many"));
    }
    sending one = start("/one", "one");
    CHECK(one.get().status == 201);
    std::uint64_t others = 0;
    for (const received_request& r : server.requests()) {
        others += r.target == "/many" ? r.body_bytes : 0;
    }
    CHECK(others <= 2 * mib);  // if each request had a share, they would have sent all of their 8 MiB
}

}  // namespace waybill::test
