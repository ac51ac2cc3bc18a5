// SPDX-License-Identifier: BSL-1.0
#include <waybill/body/multipart_body.hpp>
#include <waybill/detail/event.hpp>

#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <asio/post.hpp>

#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// What a crash may rely on: before the gate opens, the server cannot have the whole body.
namespace waybill::test {
namespace {

/// A gate the test opens or breaks.
class gate {
public:
    explicit gate(const asio::any_io_executor& home) : home_(home), opened_(home) {}

    [[nodiscard]] std::function<asio::awaitable<void>()> pass() {
        return [this] { return wait(); };
    }
    void wait_until_reached() {
        if (reached_.get_future().wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
            throw std::runtime_error("the gate is never reached");
        }
    }
    void open() {
        asio::post(home_, [this] { opened_.set(); });
    }
    void fail() {
        asio::post(home_, [this] {
            broken_ = true;
            opened_.set();
        });
    }

private:
    asio::awaitable<void> wait() {
        reached_.set_value();
        co_await opened_.wait();
        if (broken_) {
            throw error(errc::store_failed, "the test's store");
        }
    }

    asio::any_io_executor home_;
    detail::event opened_;
    std::promise<void> reached_;
    bool broken_ = false;
};

// Another request there and back: whatever the loop was about to send meanwhile, it has sent.
void let_the_loop_turn(transport_loop& loop) {
    http_server other;
    REQUIRE(loop.perform(put_to(other.url()), random_bytes(200'000)).status == 201);
}

}  // namespace

TEST_CASE("the last byte of a streamed body waits for the gate") {
    const std::size_t size = GENERATE(std::size_t(65'537), std::size_t(1 << 20), std::size_t(3'000'001));
    certificate_authority authority;
    http_server_options how;
    if (GENERATE(false, true)) {
        how.tls = authority.issue();
    }
    CAPTURE(size, how.tls.has_value());
    http_server server(how);
    transport_loop loop(trusting(authority));
    gate before(loop.executor());
    request what = post_to(server.url());
    what.before_last_byte = before.pass();
    const std::string body = random_bytes(size);
    sending post = loop.start(what, body);
    before.wait_until_reached();
    server.wait_for_body(1, size - 1);
    let_the_loop_turn(loop);
    CHECK(server.requests().at(0).body_bytes == size - 1);
    CHECK_FALSE(server.requests().at(0).complete);
    CHECK(post.progress().sent < size);
    CHECK_FALSE(post.progress().body_sent);
    before.open();
    const response answer = post.get();
    CHECK(answer.status == 200);
    CHECK(answer.may_have_left);
    CHECK(server.finished(1).sha256 == sha256(body));
}

TEST_CASE("a gate that breaks leaves the server without the last byte") {
    http_server server;
    transport_loop loop;
    gate before(loop.executor());
    request what = post_to(server.url());
    what.before_last_byte = before.pass();
    constexpr std::size_t size = 500'000;
    sending post = loop.start(what, random_bytes(size));
    before.wait_until_reached();
    server.wait_for_body(1, size - 1);
    SECTION("by an exception") {
        before.fail();
        CHECK(post.error() == errc::store_failed);
    }
    SECTION("by cancellation") {
        post.cancel();
        CHECK(post.error() == asio::error::operation_aborted);
    }
    const received_request got = server.finished(1);
    CHECK_FALSE(got.complete);
    CHECK(got.body_bytes == size - 1);
    CHECK(loop.perform(put_to(server.url()), "x").status == 201);
}

TEST_CASE("nothing of a small body that may be repeated leaves before the gate") {
    http_server server;
    transport_loop loop;
    const std::size_t size = GENERATE(std::size_t(0), std::size_t(1), std::size_t(65'536));
    CAPTURE(size);
    gate before(loop.executor());
    request what = size == 0 ? post_to(server.url()) : put_to(server.url());
    what.before_last_byte = before.pass();
    sending post = loop.start(what, random_bytes(size));
    before.wait_until_reached();
    let_the_loop_turn(loop);
    CHECK(server.log().connections() == 0);
    SECTION("and all of it afterwards") {
        before.open();
        CHECK(post.get().failure == std::error_code());
        CHECK(server.finished(1).body_bytes == size);
    }
    SECTION("and nothing ever when the gate breaks") {
        before.fail();
        CHECK(post.error() == errc::store_failed);
        let_the_loop_turn(loop);
        CHECK(server.log().connections() == 0);
    }
}

TEST_CASE("a small body that must not be repeated comes to its gate only over a connection") {
    transport_loop loop;
    const std::size_t size = GENERATE(std::size_t(1), std::size_t(65'536));
    CAPTURE(size);
    bool reached = false;
    const auto note = [&reached]() -> asio::awaitable<void> {
        reached = true;
        co_return;
    };
    SECTION("to nobody") {
        const black_hole nobody;
        request what = post_to(nobody.url());
        what.before_last_byte = note;
        what.limits.connect = std::chrono::milliseconds(200);
        CHECK(loop.perform(what, random_bytes(size)).failure == errc::connect_timed_out);
        CHECK_FALSE(reached);
    }
    SECTION("to a server") {
        http_server server;
        request what = post_to(server.url());
        what.before_last_byte = note;
        CHECK(loop.perform(what, random_bytes(size)).status == 200);
        CHECK(reached);
        CHECK(server.finished(1).body_bytes == size);
    }
}

TEST_CASE("the closing boundary of a multipart body waits for the gate") {
    http_server server;
    transport_loop loop;
    gate before(loop.executor());
    const std::string content = random_bytes(300'000);
    const auto body = std::make_shared<multipart_body>("boundary");
    body->add_field("a", "b");
    for (const std::string name : {"one", "two"}) {
        body->add_item("file", name, "application/octet-stream", content.size(),
                       [&] { return std::make_unique<bytes_source>(content); });
    }
    body->finish();
    request what = post_to(server.url());
    what.headers.push_back({"Content-Type", body->content_type()});
    what.before_last_byte = before.pass();
    sending post = loop.start(what, body);
    before.wait_until_reached();
    server.wait_for_body(1, body->size() - 1);
    let_the_loop_turn(loop);
    const received_request early = server.requests().at(0);
    CHECK(early.body_bytes == body->size() - 1);
    CHECK(early.body.ends_with("\r\n--boundary--\r"));
    before.open();
    CHECK(post.get().status == 200);
    CHECK(server.finished(1).body.ends_with("\r\n--boundary--\r\n"));
}

TEST_CASE("an answer that comes while the gate is shut is taken as it is") {
    http_server server;
    transport_loop loop;
    gate before(loop.executor());
    request what = post_to(server.url());
    what.before_last_byte = before.pass();
    constexpr std::size_t size = 200'000;
    server.next(script("refuses").read_body(size - 1).answer({422, {{"Connection", "close"}}}).linger());
    sending post = loop.start(what, random_bytes(size));
    before.wait_until_reached();
    server.wait_for_body(1, size - 1);
    let_the_loop_turn(loop);
    before.open();
    const response answer = post.get();
    CHECK(answer.status == 422);
    CHECK_FALSE(answer.may_have_left);
}

TEST_CASE("a gate that takes long is not held against the server") {
    http_server server;
    transport_loop loop;
    gate before(loop.executor());
    request what = post_to(server.url());
    what.before_last_byte = before.pass();
    what.limits.stall = std::chrono::seconds(1);
    sending post = loop.start(what, random_bytes(200'000));
    before.wait_until_reached();
    // Longer than the stall limit by the clock: a server that stalls that long is given up meanwhile.
    http_server stalls;
    stalls.next(script("mute").read_all().hold());
    request slow = put_to(stalls.url());
    slow.limits.response = std::chrono::seconds(2);
    CHECK(loop.perform(slow, "x").failure == errc::response_timed_out);
    before.open();
    const response answer = post.get();
    CHECK(answer.status == 200);
    CHECK_FALSE(answer.failure);
}

}  // namespace waybill::test
