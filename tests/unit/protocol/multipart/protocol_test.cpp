// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/multipart/protocol.hpp>

#include "support/catch.hpp"
#include "support/run.hpp"
#include "unit/protocol/fake_session.hpp"

#include <asio/io_context.hpp>

#include <string>

namespace waybill::test {
namespace {

using detail::multipart_protocol;

void upload(fake_session& session) {
    asio::io_context context;
    multipart_protocol speaks(multipart().spec());
    run<void>(context, [&] { return speaks.upload(session); });
}

void restore(fake_session& session) {
    asio::io_context context;
    multipart_protocol speaks(multipart().spec());
    run<void>(context, [&] { return speaks.restore(session); });
}

TEST_CASE("multipart takes any fields and names, and one setting", "[protocol][multipart]") {
    CHECK(multipart().spec().name == "multipart");
    CHECK(multipart().spec().settings.empty());
    CHECK(multipart().file_field("photos[]").spec().settings == detail::string_pairs{{"file-field", "photos[]"}});
    for (const std::string& field : {std::string(), std::string("a\r\nb"), std::string(1025, 'x')}) {
        CHECK(error_of([&] {
                  multipart_protocol(protocol_spec{"multipart", {{"file-field", field}}});
              }) == errc::invalid_setting);
    }
    CHECK(error_of([] {
              multipart_protocol(protocol_spec{"multipart", {{"boundary", "x"}}});
          }) == errc::invalid_setting);
    const multipart_protocol speaks(multipart().spec());
    CHECK_NOTHROW(speaks.check(job("https://h/").field("a", "b").bytes("same", "1").bytes("same", "2")));
    CHECK_FALSE(speaks.finalizes());
}

TEST_CASE("multipart sends one POST with fields and then items", "[protocol][multipart]") {
    fake_session session("https://h/posts");
    session.record.spec.fields = {{"caption", "Istanbul"}, {"tag", "a"}, {"tag", "b"}};
    session.with("a.jpg", "first", "image/jpeg").with("b.jpg", "second").answers(201, {}, "created\n7");
    upload(session);
    REQUIRE(session.sent.size() == 1);
    const auto& r = session.sent[0];
    CHECK(r.method == "POST");
    CHECK(r.url == "https://h/posts");
    CHECK_FALSE(r.idempotent);
    CHECK(r.about == checkpoint::whole_job);
    CHECK(header_of(r, "Content-Type") == "multipart/form-data; boundary=waybill-" + session.record.state.key);
    const auto at = [&](std::string_view what) { return r.body.find(what); };
    CHECK(at("Istanbul") < at("name=\"tag\""));
    CHECK(at("name=\"tag\"") < at("first"));
    CHECK(at("filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\nfirst\r\n") != std::string::npos);
    CHECK(at("first") < at("second"));
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(session.records[i].state.status == item_status::completed);
        CHECK(session.records[i].state.receipt == "created 7");
    }
}

TEST_CASE("items that name no form field go into the job's, and else into 'file'", "[protocol][multipart]") {
    const std::string of_job = GENERATE(as<std::string>(), "", "photos[]");
    fake_session session("https://h/posts");
    session.with("a.jpg", "first").with("b.jpg", "second").with("c.pdf", "third").answers(200);
    session.records[0].spec.field = session.records[1].spec.field = "";
    session.records[2].spec.field = "paper";
    asio::io_context context;
    multipart_protocol speaks(multipart().file_field(of_job).spec());
    run<void>(context, [&] { return speaks.upload(session); });
    const std::string& body = session.sent.at(0).body;
    const std::string field = of_job.empty() ? "file" : of_job;
    CHECK(body.find("name=\"" + field + "\"; filename=\"a.jpg\"") != std::string::npos);
    CHECK(body.find("name=\"" + field + "\"; filename=\"b.jpg\"") != std::string::npos);
    CHECK(body.find("name=\"paper\"; filename=\"c.pdf\"") != std::string::npos);
}

TEST_CASE("the spans of a multipart request are its items' bytes", "[protocol][multipart]") {
    fake_session session("https://h/posts");
    session.record.spec.fields = {{"caption", "x"}};
    session.with("a", "first").with("empty", "").with("b", "second").answers(200);
    upload(session);
    const auto& r = session.sent.at(0);
    REQUIRE(r.spans.size() == 3);
    const std::string contents[] = {"first", "", "second"};
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(r.spans[i].item == i);
        CHECK(r.spans[i].item_offset == 0);
        CHECK(r.body.substr(r.spans[i].body_offset, r.spans[i].length) == contents[i]);
    }
}

TEST_CASE("every attempt of one epoch sends the very same bytes, another epoch other ones", "[protocol][multipart]") {
    fake_session session("https://h/posts");
    session.record.spec.fields = {{"caption", "x"}};
    session.with("a", "first").answers(503).answers(200).answers(200);
    CHECK_THROWS_AS(upload(session), failure);
    upload(session);
    CHECK(session.sent.at(0).body == session.sent.at(1).body);
    session.record.state.key = "ffffffffffffffffffffffffffffffff";
    session.records[0].state.status = item_status::pending;
    upload(session);
    CHECK(session.sent.at(2).body != session.sent.at(1).body);
    CHECK(session.sent.at(2).body.size() == session.sent.at(1).body.size());
}

TEST_CASE("multipart sends nothing when the answer was committed before a crash", "[protocol][multipart]") {
    fake_session session("https://h/posts");
    session.with("a", "1").with("b", "2");
    session.records[0].state.status = item_status::completed;
    session.records[1].state.status = item_status::completed;
    upload(session);
    CHECK(session.sent.empty());
}

TEST_CASE("a multipart request that was lost after its last byte is ambiguous", "[protocol][multipart]") {
    response lost;
    lost.failure = errc::connection_lost;
    lost.may_have_left = true;
    fake_session session("https://h/posts");
    session.with("a", "1").answers(lost);
    try {
        upload(session);
        FAIL("a lost answer was accepted");
    } catch (const failure& f) {
        CHECK(f.what_to_do() == disposition::ambiguous);
        CHECK(f.item() == checkpoint::whole_job);
    }
    CHECK(session.records[0].state.status == item_status::pending);
}

TEST_CASE("multipart looks at all files before the first byte", "[protocol][multipart]") {
    fake_session session("https://h/posts");
    session.with("a", "1").with("b", "2").with("c", "3");
    restore(session);
    CHECK(session.opened == 3);
    session.changed.insert(2);
    try {
        restore(session);
        FAIL("a changed file was not seen");
    } catch (const failure& f) {
        CHECK(f.code() == errc::file_changed);
        CHECK(f.item() == 2);
    }
    CHECK(session.sent.empty());
}

}  // namespace
}  // namespace waybill::test
