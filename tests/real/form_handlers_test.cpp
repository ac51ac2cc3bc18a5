// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/put.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/http_record.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

// Whole jobs to what web applications are written in: PHP, and Rack, on which Rails and Sinatra stand.
namespace waybill::test {
namespace {

// Each writes a line of JSON for each request: what the application is given, files by the digests of their bytes.
const char* const php_application = R"(<?php
$files = [];
foreach ($_FILES as $field => $file) {
    $paths = (array)$file['tmp_name'];
    foreach ((array)$file['name'] as $i => $name) {
        $files[] = [$field, $name, hash_file('sha256', $paths[$i])];
    }
}
$seen = ['method' => $_SERVER['REQUEST_METHOD'], 'key' => $_SERVER['HTTP_IDEMPOTENCY_KEY'] ?? '', 'files' => $files,
         'body' => hash('sha256', file_get_contents('php://input'))];
file_put_contents(__DIR__ . '/log', json_encode($seen) . "\n", FILE_APPEND);
http_response_code(201);
echo 'taken';
)";

const char* const rack_application = R"(
require 'digest'
require 'json'
run lambda { |env|
  request = Rack::Request.new(env)
  files = []
  body = ''
  if request.media_type == 'multipart/form-data'
    request.params.each do |field, value|
      (value.is_a?(Array) ? value : [value]).each do |one|
        next unless one.is_a?(Hash) && one[:filename]
        files << [field, one[:filename], Digest::SHA256.hexdigest(one[:tempfile].read)]
      end
    end
  else
    body = Digest::SHA256.hexdigest(request.body.read)
  end
  seen = { method: request.request_method, key: env['HTTP_IDEMPOTENCY_KEY'] || '', files: files, body: body }
  File.open(File.join(__dir__, 'log'), 'a') { |log| log.puts JSON.generate(seen) }
  [201, { 'Content-Type' => 'text/plain' }, ['taken']]
}
)";

struct received_file {
    std::string field;
    std::string name;
    std::string sha256;

    auto operator<=>(const received_file&) const = default;
};

struct received_upload {
    std::string method;
    std::string key;
    std::vector<received_file> files;
    std::string body;
};

class form_handler {
public:
    explicit form_handler(const std::string& kind) : port_(free_port()) {
        const std::string at = "127.0.0.1:" + std::to_string(port_);
        command_line what;
        what.directory = dir_.path().string();
        what.out_file = what.err_file = dir_ / "words";
        if (kind == "php") {
            what.argv = {"php",
                         "-d",
                         "upload_max_filesize=100M",
                         "-d",
                         "post_max_size=200M",
                         "-S",
                         at,
                         "-t",
                         dir_.path().string(),
                         dir_.write("app.php", php_application)};
        } else {
            what.argv = {"rackup",
                         "-q",
                         "-s",
                         "webrick",
                         "-o",
                         "127.0.0.1",
                         "-p",
                         std::to_string(port_),
                         dir_.write("config.ru", rack_application)};
        }
        process_.emplace(what);
        process_->wait_for_port(port_);
    }

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/photos"; }
    [[nodiscard]] std::string words() const { return process_->words(); }
    [[nodiscard]] std::vector<received_upload> uploads() const {
        std::vector<received_upload> all;
        std::istringstream lines(read_file(dir_ / "log"));
        for (std::string line; std::getline(lines, line);) {
            const nlohmann::json seen = nlohmann::json::parse(line);
            received_upload& one = all.emplace_back();
            one.method = seen.at("method");
            one.key = seen.at("key");
            one.body = seen.at("body");
            for (const nlohmann::json& f : seen.at("files")) {
                one.files.push_back({f.at(0), f.at(1), f.at(2)});
            }
            std::sort(one.files.begin(), one.files.end());
        }
        return all;
    }

private:
    temp_dir dir_;
    std::uint16_t port_;
    std::optional<process> process_;
};

std::string any_application() {
    return GENERATE(as<std::string>(), "php", "rack");
}

job_snapshot deliver(const temp_dir& dir, const form_handler& to, job what) {
    delivery uploads(quick_options(dir));
    const job_snapshot done = uploads.settled(uploads.enqueue(std::move(what)));
    UNSCOPED_INFO(describe(done) << "\n" << to.words());
    return done;
}

}  // namespace

TEST_CASE("of files with one field name a form handler keeps the last, and all where the name is that of a list") {
    const temp_dir dir;
    const std::string application = any_application();
    const bool list = GENERATE(false, true);
    CAPTURE(application, list);
    const form_handler server(application);
    job what(server.url());
    what.via(list ? multipart{}.file_field("photos[]") : multipart{}).field("caption", "Istanbul");
    std::vector<received_file> expected;
    for (const char* const name : {"a.jpg", "b.jpg", "c.jpg"}) {
        const std::string content = random_bytes(100'000, expected.size() + 1);
        what.file(dir.write(name, content));
        expected.push_back({list ? "photos" : "file", name, sha256(content)});
    }
    CHECK(deliver(dir, server, what).status == status::completed);
    const auto seen = server.uploads();
    REQUIRE(seen.size() == 1);
    if (!list) {
        expected.erase(expected.begin(), expected.begin() + 2);  // nobody can see that from here: the guide warns of it
    }
    CHECK(seen[0].files == expected);
}

TEST_CASE("items go into the fields they name, and the others into the job's") {
    const temp_dir dir;
    const std::string application = any_application();
    CAPTURE(application);
    const form_handler server(application);
    job what(server.url());
    what.via(multipart{}.file_field("photos[]"));
    what.file(dir.write("a.jpg", "first")).file(dir.write("b.jpg", "second"));
    what.add(item::file(dir.write("c.pdf", "third")).field("paper"));
    CHECK(deliver(dir, server, what).status == status::completed);
    const auto seen = server.uploads();
    REQUIRE(seen.size() == 1);
    const std::vector<received_file> expected = {{"paper", "c.pdf", sha256("third")},
                                                 {"photos", "a.jpg", sha256("first")},
                                                 {"photos", "b.jpg", sha256("second")}};
    CHECK(seen[0].files == expected);
}

TEST_CASE("an item's bytes arrive as the body of a POST, each with a key of its own") {
    const temp_dir dir;
    const std::string application = any_application();
    CAPTURE(application);
    const form_handler server(application);
    const std::string large = random_bytes(3'000'000);
    job what(server.url());
    what.via(put{}.method("POST"));
    what.add(item::bytes("order.json", R"({"pieces": 3})").content_type("application/json"));
    what.file(dir.write("photo.jpg", large));
    const job_snapshot done = deliver(dir, server, what);
    CHECK(done.status == status::completed);
    CHECK(done.item(0).receipt == "taken");
    const auto seen = server.uploads();
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].method == "POST");
    CHECK(seen[0].body == sha256(R"({"pieces": 3})"));
    CHECK(seen[1].body == sha256(large));
    CHECK_FALSE(seen[0].key.empty());
    CHECK(seen[0].key != seen[1].key);
}

}  // namespace waybill::test
