// Symmetric 3×3 matrices in closed form: O. K. Smith, "Eigenvalues of a symmetric 3 × 3 matrix", CACM 4(4), 1961;
// vectors as cross products of rows (D. Eberly, "A robust eigensolver for 3 × 3 symmetric matrices", 2014).
#pragma once

#include <algorithm>
#include <cmath>

namespace lineament {

// xx, xy, xz, yy, yz, zz.
struct Symmetric3 {
  double xx = 0, xy = 0, xz = 0, yy = 0, yz = 0, zz = 0;
};

// The direction in which a covariance is least, of length 1, and its three eigenvalues, ascending. False (and no
// direction) where it is not the only one: the two smaller eigenvalues are the same within rounding, or the matrix is
// 0.
inline bool least_direction(const Symmetric3& m, double direction[3], double eigenvalues[3]) {
  constexpr double kSame = 1e-12;
  eigenvalues[0] = eigenvalues[1] = eigenvalues[2] = 0;
  const double most =
      std::max({std::abs(m.xx), std::abs(m.xy), std::abs(m.xz), std::abs(m.yy), std::abs(m.yz), std::abs(m.zz)});
  if (!(most > 0)) return false;
  const double s = 1 / most;
  const double xx = m.xx * s, xy = m.xy * s, xz = m.xz * s, yy = m.yy * s, yz = m.yz * s, zz = m.zz * s;
  const double mean = (xx + yy + zz) / 3;
  const double a = xx - mean, b = yy - mean, c = zz - mean;
  const double off = xy * xy + xz * xz + yz * yz;
  const double p = std::sqrt((a * a + b * b + c * c + 2 * off) / 6);
  const double determinant = a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz);
  double least = mean, greatest = mean;
  if (p > 0) {
    const double half = std::clamp(determinant / (2 * p * p * p), -1.0, 1.0);
    const double angle = std::acos(half) / 3;
    greatest = mean + 2 * p * std::cos(angle);
    least = mean + 2 * p * std::cos(angle + 2.0943951023931953);  // + 120°
  }
  const double middle = 3 * mean - least - greatest;
  eigenvalues[0] = least * most;
  eigenvalues[1] = middle * most;
  eigenvalues[2] = greatest * most;
  if (!(middle - least > kSame * greatest)) return false;
  // The rows of the matrix less its eigenvalue lie in the plane across the direction sought.
  const double dx = xx - least, dy = yy - least, dz = zz - least;
  const double rows[3][3] = {{xy * yz - xz * dy, xz * xy - dx * yz, dx * dy - xy * xy},
                             {xy * dz - xz * yz, xz * xz - dx * dz, dx * yz - xy * xz},
                             {dy * dz - yz * yz, yz * xz - xy * dz, xy * yz - dy * xz}};
  const double* best = rows[0];
  double longest = 0;
  for (const auto& row : rows) {
    const double length = row[0] * row[0] + row[1] * row[1] + row[2] * row[2];
    if (length > longest) {
      longest = length;
      best = row;
    }
  }
  if (!(longest > 0)) return false;
  const double scale = 1 / std::sqrt(longest);
  for (int i = 0; i < 3; ++i) direction[i] = best[i] * scale;
  return true;
}

}  // namespace lineament
