// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/tus.hpp>
#include <waybill/protocol/tus/protocol.hpp>

#include "support/catch.hpp"
#include "support/run.hpp"
#include "unit/protocol/fake_session.hpp"

#include <asio/io_context.hpp>

#include <string>

namespace waybill::test {
namespace {

const header_field tus_version{"Tus-Resumable", "1.0.0"};

void upload(fake_session& session, const tus& how = tus()) {
    asio::io_context context;
    detail::tus_protocol speaks(how.spec());
    run<void>(context, [&] { return speaks.upload(session); });
}

/// A checkpoint of an item of three bytes, so many of which the server has confirmed.
checkpoint reached(std::uint64_t offset) {
    detail::tus_state state;
    state.parts = detail::cut_into_parts(3, 1);
    state.parts[0].url = "https://h/files/1";
    state.parts[0].offset = offset;
    checkpoint c;
    c.item = 0;
    c.resource = state.parts[0].url;
    c.offset = offset;
    c.state = encode_tus_state(state);
    return c;
}

TEST_CASE("creating an empty upload finishes it, and is not repeated blindly", "[protocol][tus]") {
    fake_session session("https://h/files");
    session.with("empty", "");
    session.answers(201, {tus_version, {"Location", "/files/1"}});
    upload(session);
    REQUIRE(session.sent.size() == 1);
    CHECK_FALSE(session.sent[0].idempotent);
    CHECK(session.records[0].state.status == item_status::completed);

    session = fake_session("https://h/files");
    session.with("full", "abc");
    session.answers(201, {tus_version, {"Location", "/files/1"}});
    session.answers(204, {tus_version, {"Upload-Offset", "3"}});
    upload(session);
    REQUIRE(session.sent.size() == 2);
    CHECK(session.sent[0].idempotent);
}

TEST_CASE("an upload of which all was confirmed has arrived, and is not asked about", "[protocol][tus]") {
    fake_session session("https://h/files");
    session.with("a", "abc");
    session.save_soon(reached(3));
    upload(session);
    CHECK(session.sent.empty());
    CHECK(session.records[0].state.status == item_status::completed);
}

TEST_CASE("an upload of which all was confirmed has arrived, whatever became of its file", "[protocol][tus]") {
    fake_session session("https://h/files");
    session.with("a", "abc");
    session.save_soon(reached(3));
    SECTION("it has changed") {
        session.changed = {0};
    }
    SECTION("it was touched, and may have changed") {
        session.touched = {0};
    }
    upload(session, tus().digest("sha-256"));
    CHECK(session.sent.empty());
    CHECK(session.records[0].state.status == item_status::completed);
}

TEST_CASE("an upload that is gone before all of it was confirmed is begun anew", "[protocol][tus]") {
    fake_session session("https://h/files");
    session.with("a", "abc");
    session.save_soon(reached(2));
    session.answers(404, {tus_version});
    session.answers(201, {tus_version, {"Location", "/files/2"}});
    session.answers(204, {tus_version, {"Upload-Offset", "3"}});
    upload(session);
    CHECK(session.sent.size() == 3);
    CHECK(session.records[0].state.receipt == "https://h/files/2");
}

}  // namespace
}  // namespace waybill::test
