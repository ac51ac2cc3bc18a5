// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/accept/admission.hpp>
#include <waybill/engine/accept/records.hpp>
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/multipart/protocol.hpp>
#include <waybill/protocol/put.hpp>
#include <waybill/protocol/put/protocol.hpp>

#include "support/catch.hpp"
#include "support/run.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace waybill::test {
namespace {

const registry& protocols() {
    static const registry all = [] {
        registry r;
        r.add("put", [](const protocol_spec& s) { return std::make_unique<detail::put_protocol>(s); });
        r.add("multipart", [](const protocol_spec& s) { return std::make_unique<detail::multipart_protocol>(s); });
        return r;
    }();
    return all;
}

std::error_code verdict_on(const job& j) {
    return error_of([&] { detail::check_jobs({j}, protocols()); });
}

job good() {
    job j("https://example.com/up");
    j.via(multipart()).file("/photos/a.jpg");
    return j;
}

// A name for every sort of control character, and where it stands.
const std::vector<std::string>& with_controls() {
    static const std::vector<std::string> all = [] {
        std::vector<std::string> texts;
        for (int c = 0; c < 0x20; ++c) {
            texts.push_back(std::string("a") + static_cast<char>(c) + "b");
            texts.push_back(std::string("ab") + static_cast<char>(c));
        }
        texts.push_back(
            "a\x7F"
            "b");
        texts.push_back("a\r\nX-Injected: 1");
        return texts;
    }();
    return all;
}

struct own_protocol {
    std::string name;
    detail::string_pairs settings;
    [[nodiscard]] protocol_spec spec() const { return {name, settings}; }
};

TEST_CASE("a plain job is accepted", "[engine][admission]") {
    CHECK_FALSE(verdict_on(good()));
    CHECK_FALSE(verdict_on(job("http://127.0.0.1:8080/a").bytes("a", "x")));
    CHECK_FALSE(verdict_on(job("https://[::1]/{name}?sig=a%20b").file("/a").range("/b", 5, 0)));
}

TEST_CASE("a URL that cannot be sent to is refused", "[engine][admission]") {
    for (const char* text : {"", "example.com", "https://", "https:///up", "https://h:99999/", "https://h/ x",
                             "https://h/\r\nHost: evil", "https://user@h/", "https://user:pw@h/", "https://h/#x"}) {
        INFO(text);
        CHECK(verdict_on(job(text).file("/a")) == errc::invalid_url);
    }
    CHECK(verdict_on(job(std::string("https://h/\0x", 12)).file("/a")) == errc::invalid_url);
    CHECK(verdict_on(job("ftp://h/").file("/a")) == errc::unsupported_scheme);
    CHECK(verdict_on(job("file:///etc/passwd").file("/a")) == errc::unsupported_scheme);
    const std::string base = "https://h/";
    CHECK_FALSE(verdict_on(job(base + std::string(8192 - base.size(), 'x')).file("/a")));
    CHECK(verdict_on(job(base + std::string(8193 - base.size(), 'x')).file("/a")) == errc::invalid_url);
}

TEST_CASE("an id outside its alphabet is refused, none is made by the library", "[engine][admission]") {
    CHECK_FALSE(verdict_on(good().id(job_id("post-7"))));
    CHECK_FALSE(verdict_on(good().id(job_id(""))));
    for (const std::string& text : {std::string("a b"), std::string("ü"), std::string("a/b"), std::string("a\nb"),
                                    std::string("a\0b", 3), std::string(129, 'x')}) {
        CHECK(verdict_on(good().id(job_id(text))) == errc::invalid_id);
    }
}

TEST_CASE("a lane has up to 128 printable characters", "[engine][admission]") {
    CHECK_FALSE(verdict_on(good().lane("")));
    CHECK_FALSE(verdict_on(good().lane("Fotoğraflar, 2024")));
    CHECK_FALSE(verdict_on(good().lane(std::string(128, 'x'))));
    CHECK(verdict_on(good().lane(std::string(129, 'x'))) == errc::invalid_lane);
    for (const std::string& text : with_controls()) {
        CHECK(verdict_on(good().lane(text)) == errc::invalid_lane);
    }
}

TEST_CASE("a header is a token and one line", "[engine][admission]") {
    CHECK_FALSE(verdict_on(good().header("X-Album", "7")));
    CHECK_FALSE(verdict_on(good().header("!#$%&'*+-.^_`|~09azAZ", "")));
    CHECK_FALSE(verdict_on(good().header("X-Note", "tab\tand \xFC\x80 obs-text")));
    CHECK_FALSE(verdict_on(good().header("X-Long", std::string(8192, 'x'))));
    CHECK(verdict_on(good().header("X-Long", std::string(8193, 'x'))) == errc::invalid_header);
    CHECK(verdict_on(good().header("", "x")) == errc::invalid_header);
    for (int c = 0; c < 256; ++c) {
        const char byte = static_cast<char>(c);
        constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
        const bool token = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c != 0 && marks.find(byte) != std::string_view::npos);
        INFO("byte " << c);
        CHECK((verdict_on(good().header(std::string("X") + byte + "Y", "v")) == errc::invalid_header) != token);
        const bool in_value = c == '\t' || (c >= 0x20 && c != 0x7F);
        CHECK((verdict_on(good().header("X-Note", std::string("v") + byte)) == errc::invalid_header) != in_value);
    }
}

TEST_CASE("headers that are the library's business are refused, in any case", "[engine][admission]") {
    for (const char* name : {"Content-Length",
                             "content-length",
                             "CONTENT-LENGTH",
                             "Transfer-Encoding",
                             "Host",
                             "Expect",
                             "Connection",
                             "Trailer",
                             "TE",
                             "Upgrade",
                             "Keep-Alive",
                             "Content-Type",
                             "Content-Range",
                             "Idempotency-Key",
                             "Content-Encoding",
                             "X-HTTP-Method-Override",
                             "Content-Disposition",
                             "Upload-Offset",
                             "upload-length",
                             "Tus-Resumable",
                             "X-Amz-Content-Sha256",
                             "x-amz-date"}) {
        INFO(name);
        CHECK(verdict_on(good().header(name, "x")) == errc::forbidden_header);
    }
    for (const char* name :
         {"Content-Language", "X-Upload-Offset", "Uploader", "Accept", "Hosted", "Amz-Date", "Date"}) {
        INFO(name);
        CHECK_FALSE(verdict_on(good().header(name, "x")));
    }
}

TEST_CASE("a put takes headers that say how bytes are kept, and those that its presigned URL demands",
          "[engine][admission]") {
    const auto sent_to = [](const std::string& url, const std::string& name) {
        job j(url);
        j.via(put()).file("/photos/a.jpg").header(name, "x");
        return verdict_on(j);
    };
    const std::string plain = "https://example.com/b/k";
    const std::string presigned =
        plain + "?X-Amz-Signature=00&X-Amz-SignedHeaders=host%3Bx-amz-acl%3Bx-amz-security-token";
    CHECK_FALSE(sent_to(plain, "Content-Disposition"));
    CHECK_FALSE(sent_to(plain, "Content-Encoding"));
    CHECK_FALSE(sent_to(presigned, "x-amz-acl"));
    CHECK(sent_to(plain, "x-amz-acl") == errc::forbidden_header);
    CHECK(sent_to(presigned, "x-amz-tagging") == errc::forbidden_header);
    CHECK(sent_to(presigned, "Host") == errc::forbidden_header);
    CHECK(sent_to(presigned, "X-Amz-Security-Token") == errc::forbidden_header);  // it would be stored
    CHECK(sent_to(plain, "Content-Type") == errc::forbidden_header);
}

TEST_CASE("headers that are secrets are refused, in any case", "[engine][admission]") {
    for (const char* name : {"Authorization",
                             "authorization",
                             "Proxy-Authorization",
                             "Cookie",
                             "COOKIE",
                             "Signature",
                             "X-Auth-Token",
                             "X-Api-Key",
                             "x-api-key",
                             "Client-Secret",
                             "X-Password",
                             "My-Token",
                             "apikey",
                             "ApiKey",
                             "api-key",
                             "X-Auth",
                             "X-Auth-Email",
                             "Token",
                             "X-Token",
                             "Password",
                             "Secret",
                             "X-Session-Id",
                             "Private_Token",
                             "X-Authorization",
                             "Key",
                             "X-Apikey",
                             "Authentication",
                             "x-goog-signature",
                             "AccessToken",
                             "X-Subscription-Key",
                             "SubscriptionKey",
                             "Session",
                             "X-Session",
                             "JSESSIONID",
                             "X-SID",
                             "X-Sig",
                             "X-Sign",
                             "X-HMAC",
                             "Ticket",
                             "Passcode",
                             "X-User-Pass",
                             "X-Pin",
                             "X-CSRF"}) {
        INFO(name);
        CHECK(verdict_on(good().header(name, "x")) == errc::forbidden_header);
    }
    for (const char* name : {"X-Token-Type", "X-Keyboard", "Tokenizer", "Cookies", "X-Secretary", "X-Author",
                             "X-Key-Size", "X-Request-Id", "X-Upload-Session-Start", "X-Passport"}) {
        INFO(name);
        CHECK_FALSE(verdict_on(good().header(name, "x")));
    }
    try {
        detail::check_jobs({good().header("X-Api-Key", "canary")}, protocols());
        FAIL("a secret was accepted");
    } catch (const error& e) {
        CHECK(std::string(e.what()).find("X-Api-Key") != std::string::npos);
        CHECK(std::string(e.what()).find("canary") == std::string::npos);
    }
}

TEST_CASE("a form field has a printable name and any value", "[engine][admission]") {
    CHECK_FALSE(verdict_on(good().field("caption", std::string("line\r\nline\0", 11))));
    CHECK_FALSE(verdict_on(good().field("a \"quoted\" ü name", "")));
    CHECK_FALSE(verdict_on(good().field(std::string(1024, 'x'), "")));
    CHECK(verdict_on(good().field(std::string(1025, 'x'), "")) == errc::invalid_field);
    CHECK(verdict_on(good().field("", "x")) == errc::invalid_field);
    for (const std::string& text : with_controls()) {
        CHECK(verdict_on(good().field(text, "x")) == errc::invalid_field);
    }
    CHECK(verdict_on(job("https://h/").file("/a").field("a", "b")) == errc::invalid_field);  // a put has none
}

TEST_CASE("an item has a printable name that is no directory", "[engine][admission]") {
    const auto named = [](const std::string& name) { return job("https://h/up").bytes(name, "x"); };
    CHECK_FALSE(verdict_on(named("a.jpg")));
    CHECK_FALSE(verdict_on(named("dir/a.jpg")));
    CHECK_FALSE(verdict_on(named("...")));
    CHECK_FALSE(verdict_on(named(std::string(1024, 'x'))));
    CHECK(verdict_on(named(std::string(1025, 'x'))) == errc::invalid_name);
    CHECK(verdict_on(named("")) == errc::invalid_name);
    CHECK(verdict_on(named(".")) == errc::invalid_name);
    CHECK(verdict_on(named("..")) == errc::invalid_name);
    for (const std::string& text : with_controls()) {
        CHECK(verdict_on(named(text)) == errc::invalid_name);
        CHECK(verdict_on(job("https://h/up").add(item::file("/a").name(text))) == errc::invalid_name);
    }
    // A file with such a name can be sent under another one.
    CHECK(verdict_on(job("https://h/up").file("/photos/a\nb")) == errc::invalid_name);
    CHECK_FALSE(verdict_on(job("https://h/up").add(item::file("/photos/a\nb").name("a b"))));
}

TEST_CASE("an item's form field is printable", "[engine][admission]") {
    const auto in_field = [](const std::string& field) { return good().add(item::file("/b").field(field)); };
    CHECK_FALSE(verdict_on(in_field("photo[]")));
    CHECK_FALSE(verdict_on(in_field("")));  // the job's
    CHECK_FALSE(verdict_on(in_field(std::string(1024, 'x'))));
    CHECK(verdict_on(in_field(std::string(1025, 'x'))) == errc::invalid_name);
    for (const std::string& text : with_controls()) {
        CHECK(verdict_on(in_field(text)) == errc::invalid_name);
    }
}

TEST_CASE("a content type has type and subtype and is one line", "[engine][admission]") {
    const auto typed = [](const std::string& type) { return good().add(item::file("/b").content_type(type)); };
    CHECK_FALSE(verdict_on(typed("image/jpeg")));
    CHECK_FALSE(verdict_on(typed("application/vnd.api+json")));
    CHECK_FALSE(verdict_on(typed("text/plain; charset=utf-8")));
    CHECK_FALSE(verdict_on(typed("text/plain;charset=\"utf-8\"")));
    CHECK_FALSE(verdict_on(typed("a/" + std::string(254, 'x'))));
    for (const std::string& text :
         {std::string(""), std::string("jpeg"), std::string("/"), std::string("image/"), std::string("/jpeg"),
          std::string("im age/jpeg"), std::string("image/; q=1"), std::string("image/jp\"eg"),
          std::string("image/jpeg/x"), "a/" + std::string(255, 'x')}) {
        INFO(text);
        CHECK(verdict_on(typed(text)) == errc::invalid_header);
    }
    for (const std::string& text : with_controls()) {
        CHECK(verdict_on(typed("image/" + text)) == errc::invalid_header);
        CHECK(verdict_on(typed("image/jpeg; q=" + text)) == errc::invalid_header);
    }
}

TEST_CASE("a path that names no file is refused", "[engine][admission]") {
    CHECK(verdict_on(job("https://h/up").file("")) == errc::invalid_name);
    CHECK(verdict_on(job("https://h/up").add(item::file("").name("a"))) == errc::source_missing);
    CHECK(verdict_on(job("https://h/up").add(item::file(std::string("/a\0b", 4)).name("a"))) == errc::source_missing);
    for (const char* path : {"/", "/photos/", ".", "..", "/photos/.", "/photos/.."}) {
        INFO(path);
        CHECK(verdict_on(job("https://h/up").file(path)) == errc::source_not_regular);
        CHECK(verdict_on(job("https://h/up").add(item::file(path).name("a"))) == errc::source_not_regular);
    }
}

TEST_CASE("a range ends within what a file can have", "[engine][admission]") {
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::uint64_t beyond = std::numeric_limits<std::uint64_t>::max();
    const auto ranged = [](std::uint64_t offset, std::uint64_t length) {
        return job("https://h/up").range("/a", offset, length);
    };
    CHECK_FALSE(verdict_on(ranged(0, 0)));
    CHECK_FALSE(verdict_on(ranged(0, most)));
    CHECK_FALSE(verdict_on(ranged(most, 0)));
    CHECK_FALSE(verdict_on(ranged(most - 1, 1)));
    CHECK(verdict_on(ranged(most, 1)) == errc::invalid_range);
    CHECK(verdict_on(ranged(1, most)) == errc::invalid_range);
    CHECK(verdict_on(ranged(0, most + 1)) == errc::invalid_range);
    CHECK(verdict_on(ranged(most + 1, 0)) == errc::invalid_range);
    CHECK(verdict_on(ranged(beyond, 1)) == errc::invalid_range);
    CHECK(verdict_on(ranged(beyond, beyond)) == errc::invalid_range);
    CHECK(verdict_on(ranged(1, beyond)) == errc::invalid_range);
}

TEST_CASE("a job has items, but not too many and not too much in memory", "[engine][admission]") {
    CHECK(verdict_on(job("https://h/up")) == errc::empty_job);
    const std::string four_mib(4 << 20, 'x');
    CHECK_FALSE(verdict_on(job("https://h/up").bytes("a", four_mib)));
    CHECK(verdict_on(job("https://h/up").bytes("a", four_mib + "x")) == errc::job_too_large);

    job many("https://h/up");
    many.via(multipart());
    for (int i = 0; i < 100'000; ++i) {
        many.bytes("a", "");
    }
    CHECK_FALSE(verdict_on(many));
    many.bytes("a", "");
    CHECK(verdict_on(many) == errc::job_too_large);
}

TEST_CASE("a job's texts have a limit together", "[engine][admission]") {
    job j = good();
    for (int i = 0; i < 127; ++i) {
        j.header("X-Note", std::string(8192, 'x'));
    }
    CHECK_FALSE(verdict_on(j));
    CHECK(verdict_on(j.field("caption", std::string(8192, 'x'))) == errc::job_too_large);
}

TEST_CASE("a protocol nobody knows, or with settings nobody knows, is refused", "[engine][admission]") {
    CHECK(verdict_on(good().via(own_protocol{"pigeon", {}})) == errc::unknown_protocol);
    CHECK(verdict_on(good().via(own_protocol{"", {}})) == errc::unknown_protocol);
    CHECK(verdict_on(good().via(own_protocol{"multipart", {{"speed", "high"}}})) == errc::invalid_setting);
    CHECK(verdict_on(job("https://h/one").file("/a").file("/b")) == errc::invalid_url);  // what put itself refuses
}

TEST_CASE("no refusal is a surprise: each is permanent and says what is meant", "[engine][admission]") {
    for (const job& j : {job("nonsense").file("/a"), good().lane("a\nb"), good().header("a b", "x"),
                         good().field("", ""), job("https://h/up"), good().id(job_id("a b"))}) {
        CHECK(verdict_on(j) == cause::permanent);
    }
    try {
        detail::check_jobs({good().lane("evil\r\nlane")}, protocols());
        FAIL("a lane with a line end was accepted");
    } catch (const error& e) {
        CHECK(std::string(e.what()).find("evil  lane") != std::string::npos);
    }
}

TEST_CASE("whatever bytes a job is made of, it is accepted or refused with a code of the library",
          "[engine][admission]") {
    std::mt19937_64 random(51);
    const auto text = [&] {
        std::string out(random() % 12, '\0');
        for (char& c : out) {
            c = random() % 4 == 0 ? static_cast<char>(random()) : "aZ0-/:.;?#@{}"[random() % 13];
        }
        return out;
    };
    int accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        job j(random() % 2 == 0 ? "https://h/" + text() : text());
        if (random() % 2 == 0) {
            j.via(multipart()).field(text(), text());
        }
        if (random() % 4 == 0) {
            j.id(job_id(text())).lane(text());
        }
        if (random() % 4 == 0) {
            j.header(text(), text());
        }
        j.add(item::bytes(text(), text()).field(text() + "f"));
        const std::error_code code = verdict_on(j);
        accepted += code ? 0 : 1;
        REQUIRE((!code || code.category() == error_category()));
        if (!code) {
            for (const item& i : j.items()) {
                REQUIRE(i.name().find_first_of(std::string("\r\n\0", 3)) == std::string::npos);
            }
            REQUIRE(j.url().find_first_of("\r\n") == std::string::npos);
            REQUIRE(j.lane().find_first_of("\r\n") == std::string::npos);
        }
    }
    CHECK(accepted > 100);
}

TEST_CASE("the checksum of a job's content changes with every part of it", "[engine][admission]") {
    const auto base = [] {
        job j("https://h/up");
        j.id(job_id("same")).lane("lane").field("f", "v").header("X-A", "b");
        j.add(item::file("/a").name("n").field("g").content_type("a/b"));
        j.range("/r", 10, 20).bytes("m", "data");
        return j;
    };
    const std::uint32_t content = detail::content_of(base());
    CHECK(detail::content_of(base()) == content);
    CHECK(detail::content_of(base().id(job_id("other"))) == content);  // the id is what it is compared under

    const auto rebuilt = [](const std::function<void(job&)>& items) {
        job j("https://h/up");
        j.id(job_id("same")).lane("lane").field("f", "v").header("X-A", "b");
        items(j);
        return j;
    };
    const item file = item::file("/a").name("n").field("g").content_type("a/b");
    std::map<std::string, job> others = {
        {"lane", base().lane("other")},
        {"protocol", base().via(multipart())},
        {"setting", base().via(own_protocol{"put", {{"a", "b"}}})},
        {"policy", base().if_unknown(on_unknown::retry)},
        {"another field", base().field("f", "v")},
        {"another header", base().header("X-A", "b")},
        {"another item", base().bytes("m", "data")},
        {"no items", rebuilt([](job&) {})},
        {"path", rebuilt([&](job& j) {
             j.add(item::file("/b").name("n").field("g").content_type("a/b")).range("/r", 10, 20).bytes("m", "data");
         })},
        {"name", rebuilt([&](job& j) { j.add(item(file).name("o")).range("/r", 10, 20).bytes("m", "data"); })},
        {"item's field", rebuilt([&](job& j) { j.add(item(file).field("h")).range("/r", 10, 20).bytes("m", "data"); })},
        {"type",
         rebuilt([&](job& j) { j.add(item(file).content_type("a/c")).range("/r", 10, 20).bytes("m", "data"); })},
        {"offset", rebuilt([&](job& j) { j.add(file).range("/r", 11, 20).bytes("m", "data"); })},
        {"length", rebuilt([&](job& j) { j.add(file).range("/r", 10, 21).bytes("m", "data"); })},
        {"data", rebuilt([&](job& j) { j.add(file).range("/r", 10, 20).bytes("m", "datb"); })},
        {"order", rebuilt([&](job& j) { j.add(file).bytes("m", "data").range("/r", 10, 20); })},
        {"kind", rebuilt([&](job& j) { j.add(file).add(item::file("/r")).bytes("m", "data"); })},
    };
    job url("https://h/down");
    url.id(job_id("same")).lane("lane").field("f", "v").header("X-A", "b").add(file);
    url.range("/r", 10, 20).bytes("m", "data");
    others.emplace("url", url);
    std::set<std::uint32_t> seen = {content};
    for (const auto& [what, other] : others) {
        INFO(what);
        CHECK(seen.insert(detail::content_of(other)).second);
    }
    // What stands in one field cannot slide into the next.
    CHECK(detail::content_of(job("https://h/").lane("ab").file("/c")) !=
          detail::content_of(job("https://h/").lane("a").file("b/c")));
}

// Counts up.
class counting_random final : public random_source {
public:
    std::uint64_t next() override { return ++count_ * 0x9E3779B97F4A7C15U; }

private:
    std::uint64_t count_ = 0;
};

pinned_file pin(std::string path, std::uint64_t size) {
    pinned_file p;
    p.path = std::move(path);
    p.identity = {1, 2, size, 3, 4};
    return p;
}

TEST_CASE("an accepted job's records have all that it needs, and the files as they are", "[engine][admission]") {
    job j("https://h/up/");
    j.id(job_id("post-7")).lane("family").field("f", "v").header("X-A", "b").if_unknown(on_unknown::retry);
    j.add(item::file("link.jpg").content_type("image/jpeg")).range("film.mov", 100, 50).bytes("note.txt", "hello");
    const std::vector<pinned_file> pins = {pin("/photos/real.jpg", 1'000), pin("/photos/film.mov", 150)};
    const unix_millis now{std::chrono::hours(480'000)};
    counting_random random;
    auto next = pins.cbegin();
    const new_job made = detail::make_records(j, next, {std::chrono::hours(7), {}, now}, random);

    const job_spec& spec = made.job.spec;
    CHECK(spec.id.str() == "post-7");
    CHECK(spec.lane == "family");
    CHECK(spec.url == "https://h/up/");
    CHECK(spec.protocol.name == "put");
    CHECK(spec.headers == j.headers());
    CHECK(spec.fields == j.fields());
    CHECK(spec.if_unknown == on_unknown::retry);
    CHECK(spec.item_count == 3);
    CHECK(spec.size == 1'000 + 50 + 5);
    CHECK(spec.accepted == now);
    CHECK(spec.content == detail::content_of(j));
    CHECK(made.job.state.status == status::pending);
    CHECK(made.job.state.epoch == 1);
    CHECK(made.job.state.epoch_began == now);
    CHECK(made.job.state.began == std::chrono::hours(7));
    CHECK(made.job.state.key.size() == 32);
    CHECK(made.job.state.key.find_first_not_of("0123456789abcdef") == std::string::npos);

    REQUIRE(made.items.size() == 3);
    CHECK(made.items[0].spec.path == "/photos/real.jpg");
    CHECK(made.items[0].spec.name == "link.jpg");  // as the app named it
    CHECK(made.items[0].spec.size == 1'000);
    CHECK(made.items[0].spec.identity == pins[0].identity);
    CHECK(made.items[0].spec.content_type == "image/jpeg");
    CHECK(made.items[1].spec.offset == 100);
    CHECK(made.items[1].spec.size == 50);
    CHECK(made.items[1].spec.identity == pins[1].identity);
    CHECK(made.items[2].spec.data == "hello");
    CHECK(made.items[2].spec.size == 5);
    CHECK(made.items[2].spec.path.empty());
}

TEST_CASE("a range that its file does not have is refused", "[engine][admission]") {
    counting_random random;
    const auto made = [&](std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
        const std::vector<pinned_file> pins = {pin("/a", size)};
        auto next = pins.cbegin();
        return error_of([&] {
            static_cast<void>(detail::make_records(job("https://h/").range("/a", offset, length), next, {}, random));
        });
    };
    CHECK_FALSE(made(0, 100, 100));
    CHECK_FALSE(made(100, 0, 100));
    CHECK_FALSE(made(99, 1, 100));
    CHECK(made(0, 101, 100) == errc::invalid_range);
    CHECK(made(100, 1, 100) == errc::invalid_range);
    CHECK(made(101, 0, 100) == errc::invalid_range);
}

TEST_CASE("a job larger than the numbers of a store is refused", "[engine][admission]") {
    counting_random random;
    constexpr std::uint64_t quarter = 1ULL << 61;
    const std::vector<pinned_file> pins = {pin("/a", quarter), pin("/b", quarter), pin("/c", quarter)};
    auto next = pins.cbegin();
    CHECK(error_of([&] {
              static_cast<void>(
                  detail::make_records(job("https://h/").file("/a").file("/b").file("/c"), next, {}, random));
          }) == errc::job_too_large);
}

TEST_CASE("ids and keys the library makes are valid and never the same", "[engine][admission]") {
    real_random random;
    std::set<std::string> ids;
    std::set<std::string> keys;
    const std::vector<pinned_file> none;
    for (int i = 0; i < 1'000; ++i) {
        auto no_pins = none.cbegin();
        const new_job made = detail::make_records(job("https://h/").bytes("a", "x"), no_pins, {}, random);
        CHECK(made.job.spec.id.valid());
        ids.insert(made.job.spec.id.str());
        keys.insert(made.job.state.key);
    }
    CHECK(ids.size() == 1'000);
    CHECK(keys.size() == 1'000);
}

}  // namespace
}  // namespace waybill::test
