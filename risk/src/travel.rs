//! Can the same person have been in both places? Speed over the least distance that the two may have.

use crate::signal::Code;

/// Faster than this nobody travels: an airliner cruises at about 900 km/h.
pub const IMPOSSIBLE_KMH: f64 = 900.0;

/// Nearer than this two places are not told apart: geolocation of addresses is not better.
pub const LEAST_KM: f64 = 100.0;

/// A point on the earth and how far from it the truth may be.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// The error of the geolocation, in km.
    pub error_km: f64,
}

impl Place {
    /// The middle of a country, with an error that covers the country; `None` for one that is not in
    /// the table, which makes travel unknown and not impossible.
    #[must_use]
    pub fn of_country(country: Code) -> Option<Self> {
        let found = COUNTRIES.binary_search_by(|row| row.0.cmp(country.as_str()));
        let &(_, latitude, longitude, error_km) = COUNTRIES.get(found.ok()?)?;
        Some(Self {
            latitude: f64::from(latitude),
            longitude: f64::from(longitude),
            error_km: f64::from(error_km),
        })
    }

    /// Whether all three numbers are finite; what is not is no place.
    #[must_use]
    pub const fn is_finite(&self) -> bool {
        self.latitude.is_finite() && self.longitude.is_finite() && self.error_km.is_finite()
    }

    /// The least distance that two places may have: the great circle (haversine formula, mean radius
    /// 6371 km) less both errors.
    ///
    /// ```
    /// use bursar_risk::Place;
    ///
    /// let place = |latitude, longitude| Place { latitude, longitude, error_km: 50.0 };
    /// let (berlin, paris) = (place(52.52, 13.405), place(48.857, 2.352));
    /// assert!((berlin.least_km(&paris) - 777.0).abs() < 2.0);
    /// ```
    #[must_use]
    pub fn least_km(&self, other: &Self) -> f64 {
        let (north, other_north) = (self.latitude.to_radians(), other.latitude.to_radians());
        let across = ((other_north - north) / 2.0).sin().powi(2);
        let along = ((other.longitude - self.longitude).to_radians() / 2.0)
            .sin()
            .powi(2);
        let chord = (across + north.cos() * other_north.cos() * along).clamp(0.0, 1.0);
        let distance = 2.0 * 6371.0 * chord.sqrt().asin();
        (distance - self.error_km - other.error_km).max(0.0)
    }

    /// The least speed in km/h at which somebody can be at both places `elapsed_ms` apart; zero for
    /// places that are not told apart. The time counts as at least a second.
    #[must_use]
    pub fn least_kmh(&self, other: &Self, elapsed_ms: i64) -> f64 {
        let distance = self.least_km(other);
        match distance < LEAST_KM {
            true => 0.0,
            false => distance / (elapsed_ms.abs().max(1000) as f64 / 3_600_000.0),
        }
    }
}

/// The middle of a country in whole degrees and the radius that covers most of its people, in km:
/// coordinates as in the CIA World Factbook, radii of a circle of the country's area, rounded up to
/// a multiple of 50 with a half on top.
const COUNTRIES: &[(&str, i16, i16, u16)] = &[
    ("AE", 24, 54, 250),
    ("AR", -34, -64, 1400),
    ("AT", 47, 13, 250),
    ("AU", -27, 133, 2350),
    ("BD", 24, 90, 350),
    ("BE", 51, 4, 150),
    ("BG", 43, 25, 300),
    ("BR", -10, -55, 2500),
    ("CA", 55, -95, 2700),
    ("CH", 47, 8, 200),
    ("CL", -30, -71, 2000),
    ("CN", 35, 105, 2650),
    ("CO", 4, -72, 900),
    ("CZ", 50, 15, 250),
    ("DE", 51, 9, 500),
    ("DK", 56, 10, 200),
    ("EG", 27, 30, 850),
    ("ES", 40, -4, 600),
    ("FI", 64, 26, 500),
    ("FR", 46, 2, 650),
    ("GB", 54, -2, 450),
    ("GR", 39, 22, 300),
    ("HK", 22, 114, 50),
    ("HU", 47, 20, 250),
    ("ID", -5, 120, 2500),
    ("IE", 53, -8, 250),
    ("IL", 31, 35, 200),
    ("IN", 20, 77, 1550),
    ("IT", 43, 13, 600),
    ("JP", 36, 138, 900),
    ("KE", 1, 38, 650),
    ("KR", 37, 128, 300),
    ("MX", 23, -102, 1200),
    ("MY", 3, 112, 900),
    ("NG", 10, 8, 850),
    ("NL", 52, 6, 200),
    ("NO", 62, 10, 900),
    ("NZ", -41, 174, 800),
    ("PE", -10, -76, 950),
    ("PH", 13, 122, 800),
    ("PK", 30, 70, 800),
    ("PL", 52, 20, 500),
    ("PT", 39, -8, 300),
    ("RO", 46, 25, 450),
    ("RU", 60, 90, 3500),
    ("SA", 25, 45, 1250),
    ("SE", 62, 15, 700),
    ("SG", 1, 104, 50),
    ("TH", 15, 100, 700),
    ("TR", 39, 35, 800),
    ("TW", 24, 121, 200),
    ("UA", 49, 32, 700),
    ("US", 38, -97, 2650),
    ("VN", 16, 106, 850),
    ("ZA", -29, 24, 950),
];
