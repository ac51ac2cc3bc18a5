// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/process.hpp"

#include <functional>
#include <string>
#include <vector>

namespace waybill::test {

/// A terminal that understands what the progress bars use: line ends, "cursor up n lines" and
/// "erase to the end"; what is too long goes on in the next row, and the cursor cannot go back to what
/// has left the screen at its top. Anything else that begins with an escape character is an error.
class terminal {
public:
    terminal(unsigned short rows, unsigned short columns);
    ~terminal();
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;

    /// The device a program is to write to.
    [[nodiscard]] const std::string& device() const noexcept { return device_; }

    /// As a user who pulls at the window's corner. `frames()` is for terminals that keep their size.
    void resize(unsigned short rows, unsigned short columns);

    /// Takes what the program writes until `enough` is true of all of it, or it ends.
    void read_until(process& writer, const std::function<bool(const std::string&)>& enough);
    /// Takes what the program writes until it ends.
    void read_until_end(process& writer);

    /// Everything that was written.
    [[nodiscard]] const std::string& written() const noexcept { return written_; }
    /// What the screen, and what has left it, showed each time before something was erased, and at the end.
    [[nodiscard]] const std::vector<std::vector<std::string>>& frames() const noexcept { return frames_; }

private:
    bool take();
    void interpret();

    std::string device_;
    int master_ = -1;
    int keep_open_ = -1;
    std::size_t rows_;
    std::size_t columns_;
    std::string written_;
    std::vector<std::vector<std::string>> frames_;
};

}  // namespace waybill::test
