// Builds the applications below built/ as their frameworks' own templates do.
import react from '@vitejs/plugin-react';
import vue from '@vitejs/plugin-vue';

export default { plugins: [react(), vue()], base: './', logLevel: 'warn' };
