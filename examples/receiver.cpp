// SPDX-License-Identifier: BSL-1.0
//
// What you learn: nothing about uploading; this is the other end. A small HTTP server that stores
// what is PUT to /files/<name> and POSTed as a form to /posts, for demos on your own machine.
//
// Run: receiver <directory> [port] [bytes-per-second]      It prints the port it listens on.

#include <httplib.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fs = std::filesystem;

/// Writes to `<name>.part` and renames at the end, so that a file is either whole or not there.
struct incoming {
    fs::path target;
    double rate;  // bytes per second, for demos of a slow network; 0: as fast as it goes
    std::ofstream out{target.string() + ".part", std::ios::binary | std::ios::trunc};

    bool write(const char* data, std::size_t size) {
        out.write(data, static_cast<std::streamsize>(size));
        std::this_thread::sleep_for(std::chrono::duration<double>(rate > 0 ? static_cast<double>(size) / rate : 0));
        return out.good();
    }
    void keep() {
        out.close();
        fs::rename(target.string() + ".part", target);
    }
};

int main(int argc, char** argv) {
    const fs::path directory = argc > 1 ? argv[1] : "received";
    const int wanted = argc > 2 ? std::atoi(argv[2]) : 0;
    const double rate = argc > 3 ? std::atof(argv[3]) : 0;
    fs::create_directories(directory);
    httplib::Server server;
    std::mutex mutex;
    std::set<std::string> answered;  // keys of stored POSTs: the same key is not stored twice

    using httplib::ContentReader, httplib::Request, httplib::Response;
    server.Put(R"(/files/(.+))", [&](const Request& request, Response& response, const ContentReader& body) {
        incoming file{directory / fs::path(request.matches[1].str()).filename(), rate};
        if (body([&](const char* data, std::size_t size) { return file.write(data, size); })) {
            file.keep();
            response.status = 201;
        }
    });
    server.Post("/posts", [&](const Request& request, Response& response, const ContentReader& body) {
        std::vector<std::unique_ptr<incoming>> parts;  // null: a field
        const auto begin = [&](const httplib::MultipartFormData& part) {
            const fs::path name = fs::path(part.filename).filename();
            parts.emplace_back(name.empty() ? nullptr : new incoming{directory / name, rate});
            return true;
        };
        const auto more = [&](const char* data, std::size_t size) {
            return !parts.back() || parts.back()->write(data, size);
        };
        const bool whole = body(begin, more);
        const std::lock_guard lock(mutex);
        const bool fresh = whole && answered.insert(request.get_header_value("Idempotency-Key")).second;
        for (const auto& part : parts) {
            if (fresh && part) {
                part->keep();
            }
        }
        response.status = whole ? 201 : 400;
    });
    std::cout << (wanted > 0 ? wanted : server.bind_to_any_port("127.0.0.1")) << std::endl;
    return (wanted > 0 ? server.listen("127.0.0.1", wanted) : server.listen_after_bind()) ? 0 : 1;
}
