// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/tus.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/http_server.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <functional>
#include <string>
#include <vector>

// Hostile text in every place that takes text: it is refused by name, or arrives as text.
namespace waybill::test {
namespace {

struct place {
    std::string name;
    std::function<void(job&, const std::string& text)> put;
};

std::vector<place> places() {
    const auto item_with = [](job& j, const std::function<void(item&)>& change) {
        item one = item::bytes("second", "bytes");
        change(one);
        j.add(one);
    };
    return {
        {"a header's name", [](job& j, const std::string& t) { j.header(t, "value"); }},
        {"a header's value", [](job& j, const std::string& t) { j.header("X-Name", t); }},
        {"a field's name", [](job& j, const std::string& t) { j.field(t, "value"); }},
        {"a field's value", [](job& j, const std::string& t) { j.field("caption", t); }},
        {"an item's name", [=](job& j, const std::string& t) { item_with(j, [&](item& i) { i.name(t); }); }},
        {"an item's form field", [=](job& j, const std::string& t) { item_with(j, [&](item& i) { i.field(t); }); }},
        {"a media type", [=](job& j, const std::string& t) { item_with(j, [&](item& i) { i.content_type(t); }); }},
        {"a lane", [](job& j, const std::string& t) { j.lane(t); }},
        {"an id", [](job& j, const std::string& t) { j.id(job_id(t)); }},
        {"a verifier", [](job& j, const std::string& t) { j.verify_with(t); }},
    };
}

std::vector<std::string> hostile_texts() {
    return {
        "a\r\nInjected: yes",
        "a\nInjected: yes",
        "a\rInjected: yes",
        "a\r\n\r\nPUT /injected HTTP/1.1\r\nHost: x\r\n\r\n",
        std::string("a\0Injected: yes", 15),
        "\"; filename=\"injected\"; x=\"",
        "a\"\r\nInjected: yes\r\n\r\n",
        "\\\"; name=injected",
        "\r\n--waybill--\r\n",
        "../../injected",
        "a?injected#b",
        "%0d%0aInjected:%20yes",
        "exe.\u202Egpj",
        "\u2066\u2029Injected: yes",
        "\xFF\xFE\x80Injected",
        "\x7F\x1B[2J",
        std::string(100'000, 'x'),
        std::string(5'000, '"'),
        "' OR 1=1; DROP TABLE job; --",
        "",
    };
}

/// What a body's part headers must not have: a line that came out of a text.
bool has_injected_line(const received_request& r) {
    const std::string all = "\n" + r.head + "\n" + r.body;
    // A field's value is data and may have any lines; the header block of a part may not.
    for (std::size_t at = all.find("Content-Disposition:"); at != std::string::npos;
         at = all.find("Content-Disposition:", at + 1)) {
        const std::string block = all.substr(at, all.find("\r\n\r\n", at) - at);
        if (block.find("\nInjected") != std::string::npos || block.find("\rInjected") != std::string::npos) {
            return true;
        }
    }
    return r.has_header("Injected") || r.target.find("injected HTTP") != std::string::npos;
}

/// The parts of a form, counted by its own boundary.
std::size_t parts_of(const received_request& r) {
    const std::string type = r.header("Content-Type");
    const std::string boundary = "\r\n--" + type.substr(type.find("boundary=") + 9);
    const std::string body = "\r\n" + r.body;
    std::size_t count = 0;
    for (std::size_t at = body.find(boundary); at != std::string::npos; at = body.find(boundary, at + 1)) {
        ++count;
    }
    return count - 1;  // the last one closes
}

}  // namespace

TEST_CASE("hostile text is refused by name or arrives as text, wherever it is put") {
    const std::string protocol = GENERATE(as<std::string>(), "put", "multipart");
    const temp_dir dir;
    http_server server;
    delivery uploads(quick_options(dir));
    std::size_t requests = 0;
    int refused = 0;
    int delivered = 0;
    for (const place& where : places()) {
        for (const std::string& text : hostile_texts()) {
            INFO(protocol << ", " << where.name << ": '" << printable_excerpt(text, 60) << "'");
            job one(server.url("/in/"));
            if (protocol == "multipart") {
                one.via(multipart{});
            }
            one.bytes("first", "bytes");
            where.put(one, text);
            job_id id;
            try {
                id = uploads.enqueue(one);
            } catch (const error& e) {
                ++refused;
                const std::string said = e.what();
                CHECK(e.code() == cause::permanent);
                CHECK(said.size() < 1000);
                CHECK(said.find_first_of(std::string("\r\n\0\x1B\x7F", 5)) == std::string::npos);
                continue;
            }
            ++delivered;
            const job_snapshot done = uploads.settled(id);
            INFO(describe(done));
            REQUIRE(done.status == status::completed);
            const std::size_t expected = protocol == "put" ? one.items().size() : 1;
            REQUIRE(server.requests().size() == requests + expected);
            for (std::size_t i = 0; i < expected; ++i) {
                const received_request r = server.requests()[requests + i];
                CHECK(r.well_formed);
                CHECK(r.complete);
                CHECK(r.target.substr(0, 4) == "/in/");
                CHECK(r.target.find("/../") == std::string::npos);
                CHECK_FALSE(has_injected_line(r));
                if (protocol == "multipart") {
                    CHECK(parts_of(r) == one.items().size() + one.fields().size());
                }
            }
            requests += expected;
        }
    }
    CHECK(refused > 100);
    CHECK(delivered > 30);
}

TEST_CASE("hostile text as a setting of a protocol is refused by name") {
    const temp_dir dir;
    delivery uploads(quick_options(dir));
    for (const std::string& text : hostile_texts()) {
        INFO("'" << printable_excerpt(text, 60) << "'");
        job one("http://127.0.0.1:1/");
        one.via(tus{}.checksum(text.empty() ? " " : text)).bytes("x", "content");
        CHECK(error_of([&] { uploads.enqueue(one); }) == errc::invalid_setting);
    }
}

TEST_CASE("hostile URLs are refused by name or asked for as they are, on one line") {
    const temp_dir dir;
    http_server server;
    delivery uploads(quick_options(dir));
    std::size_t requests = 0;
    for (const std::string& text : hostile_texts()) {
        for (const std::string& url :
             {server.url("/in/" + text), server.url("/in/x?q=" + text), "http://" + text + "/x"}) {
            INFO("'" << printable_excerpt(url, 80) << "'");
            job one(url);
            one.bytes("first", "bytes");
            if (url.find("127.0.0.1") == std::string::npos) {
                // A host of a foreign script is for the resolver to know, or not.
                one.lane("elsewhere");
                const std::error_code refused = error_of([&] { uploads.enqueue(one); });
                CHECK((!refused || refused == errc::invalid_url || refused == errc::unsupported_scheme));
                continue;
            }
            try {
                const job_snapshot done = uploads.settled(uploads.enqueue(one));
                INFO(describe(done));
                CHECK(done.status == status::completed);
                ++requests;
                CHECK(server.requests().size() == requests);
                CHECK(server.requests().back().well_formed);
                CHECK_FALSE(has_injected_line(server.requests().back()));
            } catch (const error& e) {
                CHECK(e.code() == errc::invalid_url);
            }
        }
    }
    CHECK(requests > 5);
    CHECK(server.requests().size() == requests);
}

TEST_CASE("what a server says reaches nobody with control characters, nor without bounds") {
    const temp_dir dir;
    http_server server;
    delivery uploads(quick_options(dir));
    const std::string nasty = "line\r\n\x1B[2J\x07" + std::string(1, '\0') + std::string(50'000, 'x');
    const int status_code = GENERATE(200, 400);
    server.otherwise([&](const received_request&) { return reply(status_code, {}, nasty); });
    job one(server.url("/x"));
    one.bytes("x", "content");
    const job_snapshot done = uploads.settled(uploads.enqueue(one));
    const std::string said = done.error.message() + done.error.details.excerpt + done.error.details.transport_text;
    CHECK(said.find_first_of(std::string("\r\n\0\x1B\x07", 5)) == std::string::npos);
    CHECK(said.size() < 4096);
}

}  // namespace waybill::test
