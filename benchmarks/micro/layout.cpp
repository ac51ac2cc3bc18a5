// SPDX-License-Identifier: BSL-1.0
#include <waybill/body/multipart_body.hpp>

#include "support/catch.hpp"

#include <memory>
#include <string>
#include <vector>

namespace waybill {
namespace {

multipart_body form_of(std::size_t items, const std::shared_ptr<const std::string>& content) {
    multipart_body form("a-boundary-of-some-length-0123456789");
    form.add_field("caption", "Istanbul");
    for (std::size_t i = 0; i < items; ++i) {
        form.add_item("file", "name of a photo.jpg", "image/jpeg", content->size(),
                      [content] { return std::make_unique<bytes_source>(*content); });
    }
    form.finish();
    return form;
}

TEST_CASE("a form's layout is cheap to make and to read", "[layout]") {
    const auto content = std::make_shared<const std::string>(4096, 'x');
    std::vector<char> room(1 << 20);

    BENCHMARK("layout of 10 items") {
        return form_of(10, content).size();
    };
    BENCHMARK("layout of 1,000 items") {
        return form_of(1000, content).size();
    };
    multipart_body form = form_of(1000, content);
    BENCHMARK("1 MiB read across 250 items") {
        form.read(4096 * 100, room);
    };
}

}  // namespace
}  // namespace waybill
