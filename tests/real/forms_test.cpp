// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/multipart.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/http_record.hpp"
#include "support/node_server.hpp"
#include "support/temp_dir.hpp"

#include <asio/use_future.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

// Whole jobs by multipart/form-data to the form parsers that Node servers use.
namespace waybill::test {
namespace {

struct received_file {
    std::string field;
    std::string name;
    std::string type;
    std::uint64_t size = 0;
    std::string sha256;

    auto operator<=>(const received_file&) const = default;
};

std::ostream& operator<<(std::ostream& out, const received_file& f) {
    return out << f.field << ": " << f.name << ", " << f.type << ", " << f.size << " bytes, " << f.sha256;
}

struct received_form {
    std::vector<std::pair<std::string, std::string>> fields;
    std::vector<received_file> files;
    std::string key;
};

std::vector<received_form> forms(const node_server& server) {
    std::vector<received_form> result;
    std::istringstream lines(server.log());
    for (std::string line; std::getline(lines, line);) {
        const nlohmann::json form = nlohmann::json::parse(line);
        received_form& made = result.emplace_back();
        made.fields = form.at("fields").get<decltype(made.fields)>();
        made.key = form.at("key");
        for (const nlohmann::json& f : form.at("files")) {
            made.files.push_back({f.at("field"), f.at("name"), f.at("type"), f.at("size"), f.at("sha256")});
        }
    }
    return result;
}

std::string any_parser() {
    return GENERATE(as<std::string>(), "/busboy", "/multer", "/formidable");
}

}  // namespace

TEST_CASE("twenty files and their fields arrive as one form, byte for byte") {
    const temp_dir dir;
    const node_server server("forms.mjs");
    delivery uploads(quick_options(dir));
    const std::string parser = any_parser();
    CAPTURE(parser);
    job what(server.url(parser));
    what.via(multipart{}).field("caption", "Istanbul").field("tags", "a; b=\"c\"");
    std::vector<received_file> expected;
    for (std::size_t i = 0; i < 20; ++i) {
        // From nothing to a megabyte, around the sizes where buffers end.
        const std::size_t size = i == 0 ? 0 : (std::size_t(1) << i) + i % 3 - 1;
        const std::string name = "file " + std::to_string(i) + ".bin";
        const std::string content = random_bytes(size, i);
        what.add(item::file(dir.write(name, content)).field("photos").content_type("image/x-raw"));
        expected.push_back({"photos", name, "image/x-raw", size, sha256(content)});
    }
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done) << "\n" << server.words());
    REQUIRE(done.status == status::completed);
    CHECK(done.sent == done.size());
    const auto seen = forms(server);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].files == expected);
    CHECK(seen[0].fields ==
          std::vector<std::pair<std::string, std::string>>{{"caption", "Istanbul"}, {"tags", "a; b=\"c\""}});
    CHECK_FALSE(seen[0].key.empty());
}

TEST_CASE("form values keep line breaks, quotes, percent signs and every script") {
    const temp_dir dir;
    const node_server server("forms.mjs");
    delivery uploads(quick_options(dir));
    const std::string parser = any_parser();
    CAPTURE(parser);
    const std::vector<std::pair<std::string, std::string>> fields = {
        {"lines", "one\r\ntwo\nthree\r"}, {"boundary", "\r\n--x\r\n"},  {"empty", ""},
        {"percent", "100 % %22 %0D"},     {"größe", "İstanbul 東京 🚀"}, {"quotes", R"(a "b" 'c' \d)"}};
    job what(server.url(parser));
    what.via(multipart{}).bytes("x", "x");
    for (const auto& [name, value] : fields) {
        what.field(name, value);
    }
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done) << "\n" << server.words());
    REQUIRE(done.status == status::completed);
    const auto seen = forms(server);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].fields == fields);
}

TEST_CASE("file names arrive in UTF-8, with percent signs, and quotes as browsers send them") {
    const temp_dir dir;
    const node_server server("forms.mjs");
    delivery uploads(quick_options(dir));
    const std::string parser = any_parser();
    CAPTURE(parser);
    // WHATWG's escape for a quote: multer and formidable undo it, busboy hands it on.
    const std::string quote = parser == "/busboy" ? "%22" : "\"";
    const std::vector<std::pair<std::string, std::string>> names = {
        {"größe 東京 🚀.jpg", "größe 東京 🚀.jpg"},
        {"50 % off; x=y.txt", "50 % off; x=y.txt"},
        {"a \"b\".txt", "a " + quote + "b" + quote + ".txt"},
        {"it's.txt", "it's.txt"}};
    job what(server.url(parser));
    what.via(multipart{});
    for (const auto& [name, ignored] : names) {
        what.file(dir.write(name, name));
    }
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done) << "\n" << server.words());
    REQUIRE(done.status == status::completed);
    const auto seen = forms(server);
    REQUIRE(seen.size() == 1);
    REQUIRE(seen[0].files.size() == names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        CHECK(seen[0].files[i].name == names[i].second);
        CHECK(seen[0].files[i].sha256 == sha256(names[i].first));
    }
}

TEST_CASE("a file name with a line break is refused before anything is accepted") {
    const temp_dir dir;
    delivery uploads(quick_options(dir));
    const std::string name = GENERATE(as<std::string>(), "a\rb", "a\nb", "a\r\nX-More: y");
    job what("http://127.0.0.1:1/");
    what.via(multipart{}).file(dir.write(name, "x"));
    try {
        uploads.enqueue(what);
        FAIL("accepted");
    } catch (const std::system_error& e) {
        CHECK(e.code() == errc::invalid_name);
    }
    CHECK(uploads.up().latest()->overall().jobs() == 0);
}

TEST_CASE("a form parser that finds a file too large fails the job for good") {
    const temp_dir dir;
    const node_server server("forms.mjs", {{"LARGEST", "100000"}});
    delivery uploads(quick_options(dir));
    const std::string parser = any_parser();
    CAPTURE(parser);
    job what(server.url(parser));
    what.via(multipart{}).bytes("small", "x").file(dir.write("large", random_bytes(100'001)));
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done) << "\n" << server.words());
    CHECK(done.status == status::failed);
    CHECK(done.error.details.http_status == 413);
    CHECK(forms(server).empty());
}

TEST_CASE("forms continue when their server is killed in mid-job and started again") {
    const temp_dir dir;
    node_server server("forms.mjs");
    options how = quick_options(dir);
    how.retry.attempts = 1'000'000;
    delivery uploads(how);
    const std::string parser = any_parser();
    CAPTURE(parser);
    // Larger than what the sockets' buffers hold, so that it is still on its way when the server dies.
    const std::string path = dir.write("large", random_bytes(24 << 20));
    job what(server.url(parser));
    what.via(multipart{}).field("n", "1").file(path);
    const job_id id = uploads.enqueue(what);
    uploads.wait_until(id, [](const job_snapshot& j) { return j.sent > 0; });
    server.stop();
    const job_snapshot held = uploads.waiting(id);
    INFO(describe(held));
    REQUIRE(held.status == status::waiting);
    server.start();
    uploads.up().async_retry(id, asio::use_future).wait();  // refused when it is under way already
    const job_snapshot done = uploads.settled(id);
    INFO(describe(done) << "\n" << server.words());
    CHECK(done.status == status::completed);
    const auto seen = forms(server);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].files.at(0).sha256 == sha256(read_file(path)));
}

}  // namespace waybill::test
