//! Money, currencies, token counts and unit rates.
